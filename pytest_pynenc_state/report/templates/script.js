"use strict";
(() => {
  const all = (selector, root = document) => Array.from(root.querySelectorAll(selector));

  const theme = document.getElementById("theme");
  let isDark = matchMedia("(prefers-color-scheme: dark)").matches;
  theme.setAttribute("aria-pressed", String(isDark));
  theme.addEventListener("click", () => {
    isDark = !isDark;
    document.documentElement.classList.toggle("dark", isDark);
    document.documentElement.classList.toggle("light", !isDark);
    theme.setAttribute("aria-pressed", String(isDark));
  });

  const form = document.getElementById("filter");
  if (form) {
    const [search, finding, level] = ["search", "finding", "level"].map((id) => document.getElementById(id));
    const rows = all("#matrix tbody tr");
    const texts = rows.map((row) => row.textContent.toLowerCase());
    const filter = () => {
      const wanted = search.value.toLowerCase();
      let shown = 0;
      rows.forEach((row, number) => {
        const found = all("td[data-finding]", row).map((cell) => cell.dataset.finding);
        const fits = texts[number].includes(wanted)
          && (!finding.value || found.includes(finding.value))
          && (!level.value || row.dataset.level === level.value);
        row.hidden = !fits;
        shown += fits;
      });
      document.getElementById("shown").textContent = `${shown} of ${rows.length} clauses`;
    };
    ["input", "change"].forEach((kind) => form.addEventListener(kind, filter));
    form.addEventListener("submit", (event) => event.preventDefault());
    filter();
  }

  // Thousands of rows are made for those who open them, and keep nobody else waiting.
  const made = (name, children, scope = "") => {
    const element = document.createElement(name);
    if (scope) element.scope = scope;
    element.append(...children);
    return element;
  };
  all("details.rows").forEach((details) => details.addEventListener("toggle", () => {
    const data = details.querySelector("script");
    if (!data) return;
    const [headings, rows] = JSON.parse(data.textContent);
    const head = made("thead", [made("tr", headings.map((text) => made("th", [text], "col")))]);
    const body = made("tbody", rows.map((row) => made("tr", row.map((text) => made("td", [text])))));
    const table = made("table", [head, body]);
    table.className = "records";
    data.replaceWith(table);
  }));

  // A link to a clause leads to what was said of it, too.
  const openLinked = () => all("#matrix tr:target details").forEach((details) => { details.open = true; });
  window.addEventListener("hashchange", openLinked);
  window.addEventListener("load", openLinked);

  // Of the drawing's width, and of the part that is seen.
  const NARROWEST_PERCENT = 0.15;
  const CALL_SHARE = 0.04;
  const number = (element, name) => parseFloat(element.getAttribute(name));
  const roundStep = (least) => {
    const power = 10 ** Math.floor(Math.log10(least));
    return power * [1, 2, 5, 10].find((each) => each * power >= least);
  };

  all(".picture").forEach((picture) => {
    const drawing = picture.querySelector(".timeline");
    const scroller = picture.querySelector(".scroller");
    const record = picture.querySelector(".record");
    const hint = record.textContent;
    const names = all(".lane-name", drawing);
    const axis = drawing.querySelector(".axis");
    const lastsS = Number(drawing.dataset.lasts);
    let zoom = 1;
    let bars = null;

    const drawAxis = (left, seen, whole) => {
      const stepS = roundStep((lastsS * 100) / whole);
      const at = Array.from({ length: Math.ceil((3 * seen) / ((whole * stepS) / lastsS)) + 1 })
        .map((_, tick) => (Math.max(Math.floor((((left - seen) / whole) * lastsS) / stepS), 0) + tick) * stepS)
        .filter((instantS) => instantS <= lastsS);
      const bottom = number(drawing, "height");
      const inMs = lastsS < 1;
      const digits = Math.max(0, -Math.floor(Math.log10(inMs ? stepS * 1000 : stepS) + 1e-9));
      const made = at.flatMap((instantS) => {
        const x = `${(100 * instantS) / lastsS}%`;
        const [line, text] = ["line", "text"].map((name) => document.createElementNS(drawing.namespaceURI, name));
        line.classList.add("tick");
        Object.entries({ x1: x, x2: x, y1: 0, y2: bottom - 22 }).forEach(([name, value]) => line.setAttribute(name, value));
        text.classList.add("time");
        const anchor = !instantS ? "start" : instantS > lastsS * (1 - 30 / whole) ? "end" : "middle";
        Object.entries({ x, y: bottom - 7, "text-anchor": anchor }).forEach(([name, value]) => text.setAttribute(name, value));
        text.textContent = inMs ? `${(instantS * 1000).toFixed(digits)} ms` : `${instantS.toFixed(digits)} s`;
        return [line, text];
      });
      axis.replaceChildren(...made);
    };
    const measured = () => {
      bars ??= all(".bar", drawing).map((bar) => ({
        bar, from: number(bar, "x") / 100, width: number(bar, "width") / 100, text: bar.querySelector("text"), x: 3,
      }));
      return bars;
    };
    // The shortest are drawn wider than they are, as long as they could not be seen; and what has
    // room for it says what it belongs to.
    const widen = () => measured().forEach((it) => {
      const { width, label } = it.bar.dataset;
      if (width) {
        const percent = Math.max(Number(width), NARROWEST_PERCENT / zoom);
        it.width = percent / 100;
        it.bar.setAttribute("width", `${percent}%`);
      }
      if (label && it.width * zoom >= CALL_SHARE) {
        it.text.textContent = label;
        delete it.bar.dataset.label;
      }
    });
    // What is wider than the part that is seen says there what it is.
    let followed = "";
    const follow = () => {
      const [left, seen, whole] = [scroller.scrollLeft, scroller.clientWidth, scroller.scrollWidth];
      if (followed === `${left} ${seen} ${whole}`) return;
      followed = `${left} ${seen} ${whole}`;
      names.forEach((name) => name.setAttribute("x", left + 4));
      measured().forEach((it) => {
        const hidden = left - it.from * whole;
        const x = hidden > 0 && hidden < it.width * whole ? hidden + 3 : 3;
        if (x === it.x) return;
        it.x = x;
        it.text.setAttribute("x", x);
      });
      drawAxis(left, seen, whole);
    };
    let isWaiting = false;
    scroller.addEventListener("scroll", () => {
      if (isWaiting) return;
      isWaiting = true;
      requestAnimationFrame(() => {
        isWaiting = false;
        follow();
      });
    });

    // What is so many pixels right of the scroller's left edge stays there.
    const zoomTo = (wanted, at = scroller.clientWidth / 2) => {
      const point = (scroller.scrollLeft + at) / scroller.scrollWidth;
      zoom = Math.min(Math.max(wanted, 1), 512);
      drawing.setAttribute("width", `${zoom * 100}%`);
      widen();
      scroller.scrollLeft = point * scroller.scrollWidth - at;
      follow();
    };
    all("[data-zoom]", picture).forEach((button) => button.addEventListener("click", () => {
      const factor = Number(button.dataset.zoom);
      zoomTo(factor ? zoom * factor : 1);
    }));
    scroller.addEventListener("wheel", (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      zoomTo(event.deltaY < 0 ? zoom * 1.25 : zoom / 1.25, event.clientX - scroller.getBoundingClientRect().left);
    }, { passive: false });

    const barOf = (event) => event.target.closest(".bar");
    const say = (bar) => { record.textContent = bar ? bar.querySelector("title").textContent : hint; };
    let chosen = null;
    const choose = (bar) => {
      if (chosen) chosen.classList.remove("chosen");
      chosen = bar;
      if (chosen) chosen.classList.add("chosen");
      say(chosen);
    };
    const show = (bar) => {
      choose(bar);
      const middle = (number(bar, "x") + number(bar, "width") / 2) / 100;
      scroller.scrollLeft = middle * scroller.scrollWidth - scroller.clientWidth / 2;
      follow();
    };
    drawing.addEventListener("mouseover", (event) => {
      const bar = barOf(event);
      if (bar && !chosen) say(bar);
    });
    drawing.addEventListener("click", (event) => {
      const bar = barOf(event);
      choose(bar === chosen ? null : bar);
    });
    all(".marks [data-line]", picture).forEach((button) => button.addEventListener("click", () => {
      const { line, step } = button.dataset;
      const bar = drawing.querySelector(`.bar[data-line="${line}"][data-step="${step}"]`);
      zoomTo(Math.max(zoom, 10 / (Number(bar.dataset.width) || number(bar, "width"))));
      show(bar);
    }));
    scroller.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const every = event.key === "n" || event.key === "p" ? all(".bar", drawing) : [];
      const place = every.indexOf(chosen);
      if (event.key === "+") zoomTo(zoom * 2);
      else if (event.key === "-") zoomTo(zoom / 2);
      else if (event.key === "0") zoomTo(1);
      else if (event.key === "n") show(every[Math.min(place + 1, every.length - 1)]);
      else if (event.key === "p") show(every[Math.max(place - 1, 0)]);
      else if (event.key === "Escape") choose(null);
    });

    // On paper nobody can scroll.
    let screenZoom = 1;
    window.addEventListener("beforeprint", () => {
      screenZoom = zoom;
      if (zoom > 1) zoomTo(1);
    });
    window.addEventListener("afterprint", () => {
      if (screenZoom > 1) zoomTo(screenZoom);
    });
  });
})();
