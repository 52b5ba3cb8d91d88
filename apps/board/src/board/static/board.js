"use strict";
// What htmx does not do by itself: figures that changed are marked, and a page that cannot be refreshed says so.
(() => {
  const figures = (root) => new Map([...root.querySelectorAll("[id]")].filter((one) => one.classList.contains("number")).map((one) => [one.id, one.textContent]));
  let before = new Map();
  let unfolded = [];
  document.addEventListener("htmx:beforeSwap", (event) => {
    before = figures(event.detail.target);
    unfolded = [...event.detail.target.querySelectorAll("details[open][id]")].map((one) => one.id);
  });
  const mark = (root) => {
    for (const [id, text] of figures(root)) {
      if (before.has(id) && before.get(id) !== text) document.getElementById(id).classList.add("fresh");
    }
  };
  document.addEventListener("htmx:afterSwap", (event) => {
    mark(event.detail.target);
    for (const id of unfolded) document.getElementById(id)?.setAttribute("open", "");
    unfolded = [];
  });
  const live = () => document.getElementById("line-now") ?? document.body;
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
