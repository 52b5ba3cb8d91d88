"use strict";
// What htmx does not do by itself: figures that changed are marked, and a page that cannot be refreshed says so.
(() => {
  const figures = (root) => new Map([...root.querySelectorAll("[id]")].filter((one) => one.classList.contains("number")).map((one) => [one.id, one.textContent]));
  let before = new Map();
  document.addEventListener("htmx:beforeSwap", (event) => {
    before = figures(event.detail.target);
  });
  const mark = (root) => {
    for (const [id, text] of figures(root)) {
      if (before.has(id) && before.get(id) !== text) document.getElementById(id).classList.add("fresh");
    }
  };
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target) mark(event.detail.target); // what a server-sent event brings in names no target
  });
  const live = () => document.getElementById("line-now");
  document.addEventListener("htmx:sseBeforeMessage", () => {
    before = figures(live());
  });
  document.addEventListener("htmx:sseMessage", () => {
    mark(live());
    stale(false);
  });
  const stale = (is) => document.body.classList.toggle("stale", is);
  document.addEventListener("htmx:sendError", () => stale(true));
  document.addEventListener("htmx:sseError", () => stale(true));
  document.addEventListener("htmx:sseOpen", () => stale(false));
  document.addEventListener("htmx:afterOnLoad", () => stale(false));
})();
