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

  // Thousands of rows are laid out for those who open them, and keep nobody else waiting.
  all("details.rows").forEach((details) => details.addEventListener("toggle", () => {
    const template = details.querySelector("template");
    if (template) template.replaceWith(template.content);
  }));

  all(".picture").forEach((picture) => {
    const drawing = picture.querySelector(".timeline");
    const scroller = picture.querySelector(".scroller");
    const record = picture.querySelector(".record");
    let zoom = 1;
    const zoomTo = (wanted) => {
      const middle = (scroller.scrollLeft + scroller.clientWidth / 2) / scroller.scrollWidth;
      zoom = Math.min(Math.max(wanted, 1), 512);
      drawing.setAttribute("width", `${zoom * 100}%`);
      scroller.scrollLeft = middle * scroller.scrollWidth - scroller.clientWidth / 2;
    };
    all("[data-zoom]", picture).forEach((button) => button.addEventListener("click", () => {
      const factor = Number(button.dataset.zoom);
      zoomTo(factor ? zoom * factor : 1);
    }));
    scroller.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "+") zoomTo(zoom * 2);
      else if (event.key === "-") zoomTo(zoom / 2);
      else if (event.key === "0") zoomTo(1);
    });
    scroller.addEventListener("wheel", (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      zoomTo(event.deltaY < 0 ? zoom * 1.25 : zoom / 1.25);
    }, { passive: false });
    const barOf = (event) => event.target.closest(".bar");
    let chosen = null;
    drawing.addEventListener("mouseover", (event) => {
      const bar = barOf(event);
      if (bar && !chosen) record.textContent = bar.querySelector("title").textContent;
    });
    drawing.addEventListener("click", (event) => {
      const bar = barOf(event);
      if (chosen) chosen.classList.remove("chosen");
      chosen = bar === chosen ? null : bar;
      if (!chosen) return;
      chosen.classList.add("chosen");
      record.textContent = chosen.querySelector("title").textContent;
    });
  });
})();
