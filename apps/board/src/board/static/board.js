"use strict";
// What htmx does not do by itself: figures that changed are marked, who is on a link stays on it, and a page that cannot
// be refreshed says so.
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
  const known = (one) => one.getAttribute("href") ?? one.getAttribute("aria-labelledby") ?? one.id;
  const alike = (root, name) => [...root.querySelectorAll("a, [tabindex]")].filter((one) => known(one) === name);
  let held = null;
  const hold = (root) => {
    const one = document.activeElement;
    held = root.contains(one) ? [known(one), alike(root, known(one)).indexOf(one)] : null;
  };
  const giveBack = (root) => {
    if (!held || root.contains(document.activeElement)) return;
    const [name, place] = held;
    const now = alike(root, name);
    (now[place] ?? now[0])?.focus({ preventScroll: true });
  };
  document.addEventListener("htmx:sseBeforeMessage", (event) => {
    hold(event.target);
    before = figures(live());
  });
  document.addEventListener("htmx:sseMessage", (event) => {
    giveBack(event.target);
    mark(live());
    stale(false);
  });
  const stale = (is) => document.body.classList.toggle("stale", is);
  document.addEventListener("htmx:sendError", () => stale(true));
  document.addEventListener("htmx:sseError", () => stale(true));
  document.addEventListener("htmx:sseOpen", () => stale(false));
  document.addEventListener("htmx:afterOnLoad", () => stale(false));
})();
