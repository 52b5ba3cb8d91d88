"use strict";
// What htmx does not do by itself: figures that changed are marked, who is on a link stays on it, who writes keeps what is
// written when the session ends, and a page that cannot be refreshed says so.
(() => {
  const figures = (root) => new Map([...root.querySelectorAll("[id]")].filter((one) => one.classList.contains("number")).map((one) => [one.id, one.textContent]));
  let before = new Map();
  let unfolded = [];
  let held = null;
  const known = (one) => one.getAttribute("href") ?? one.getAttribute("aria-labelledby") ?? one.id;
  const alike = (root, name) => [...root.querySelectorAll("a, summary, [tabindex]")].filter((one) => known(one) === name);
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
  const mark = (root) => {
    for (const [id, text] of figures(root)) {
      if (before.has(id) && before.get(id) !== text) document.getElementById(id).classList.add("fresh");
    }
  };
  document.addEventListener("htmx:beforeSwap", (event) => {
    const part = event.detail.target;
    before = figures(part);
    unfolded = [...part.querySelectorAll("details[open][id]")].map((one) => one.id);
    hold(part);
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (!event.detail.target) return; // what a server-sent event brings in names no target
    const part = document.getElementById(event.detail.target.id) ?? event.detail.target;
    mark(part);
    for (const id of unfolded) document.getElementById(id)?.setAttribute("open", "");
    unfolded = [];
    giveBack(part);
  });
  const live = () => document.getElementById("line-now") ?? document.body;
  document.addEventListener("htmx:sseBeforeMessage", (event) => {
    hold(event.target);
    before = figures(live());
  });
  document.addEventListener("htmx:sseMessage", (event) => {
    giveBack(event.target);
    mark(live());
    stale(false);
  });
  const typed = () => [...document.querySelectorAll("main textarea, main input")].some((one) => one.value !== one.defaultValue);
  let leaving = false;
  document.addEventListener("submit", (event) => {
    leaving = leaving || event.target.id === "sign-out";
  });
  document.addEventListener("htmx:beforeOnLoad", (event) => {
    if (event.detail.xhr.status !== 401 || !(leaving || typed())) return;
    event.preventDefault(); // who signs out, or is writing, is not sent away to sign in
    if (leaving) return;
    const said = document.querySelector(".ended");
    const text = said?.querySelector("template");
    if (text) said.replaceChildren(text.content);
  });
  const stale = (is) => document.body.classList.toggle("stale", is);
  document.addEventListener("htmx:sendError", () => stale(true));
  document.addEventListener("htmx:sseError", () => stale(true));
  document.addEventListener("htmx:sseOpen", () => stale(false));
  document.addEventListener("htmx:afterOnLoad", () => stale(false));
})();
