"use strict";
document.documentElement.classList.add("js");
addEventListener("DOMContentLoaded", () => {
  const steps = [...document.querySelectorAll("details.step")];
  const bar = document.getElementById("bar");
  const search = document.getElementById("search");
  const found = document.getElementById("found");
  const fold = document.getElementById("fold");
  bar.hidden = !steps.length;

  const shown = () => steps.filter((step) => !step.hidden && step.getClientRects().length);

  function open(element) {
    for (let at = element; at; at = at.parentElement) {
      if (at.localName === "details") at.open = true;
    }
  }

  function follow() {
    const target = document.getElementById(location.hash.slice(1));
    if (!target) return;
    if (target.closest("[hidden]")) {
      search.value = "";
      find();
    }
    open(target);
    target.scrollIntoView();
  }

  function go(step) {
    if (!step) return;
    step.querySelector("summary").focus({ preventScroll: true });
    step.scrollIntoView({ block: "nearest" });
  }

  function move(by, among) {
    const list = among(shown());
    const here = document.activeElement.closest?.("details.step");
    if (!here) return go(by > 0 ? list.find(isBelow) || list[0] : list.at(-1));
    const after = (step) =>
      here.compareDocumentPosition(step) & Node.DOCUMENT_POSITION_FOLLOWING;
    if (by > 0) go(list.find((step) => step !== here && after(step)));
    else go(list.filter((step) => step !== here && !after(step)).at(-1));
  }

  const isOwn = (step) => !step.closest(".others");
  const isBelow = (step) => step.getBoundingClientRect().top >= bar.offsetHeight;

  function find() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const step of steps) {
      const text = words.length ? step.textContent.toLowerCase() : "";
      step.hidden = !words.every((word) => text.includes(word));
      if (words.length && !step.hidden) open(step.parentElement);
    }
    const left = steps.filter((step) => !step.hidden);
    const own = left.filter(isOwn).length;
    const others = left.length - own;
    const more = others ? `, ${others} hidden event${others > 1 ? "s" : ""}` : "";
    found.textContent = words.length ? `${own} of ${steps.filter(isOwn).length} steps${more}` : "";
  }

  let waiting;
  search.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(find, 120);
  });
  bar.addEventListener("submit", (event) => {
    event.preventDefault();
    find();
    const first = shown()[0];
    if (first) open(first);
    go(first);
  });
  fold.addEventListener("click", () => {
    const all = fold.textContent === "Open all";
    for (const step of steps) step.open = all;
    fold.textContent = all ? "Close all" : "Open all";
  });

  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target === search) {
      if (event.key === "Escape") {
        search.value = "";
        find();
        search.blur();
      }
      return;
    }
    const isBad = (list) => list.filter((step) => step.classList.contains("bad"));
    const act = {
      j: () => move(1, (list) => list),
      k: () => move(-1, (list) => list),
      e: () => move(1, isBad),
      E: () => move(-1, isBad),
      "/": () => search.focus(),
    }[event.key];
    if (act) {
      event.preventDefault();
      act();
    }
  });

  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    for (const details of closed) details.open = true;
  });
  addEventListener("afterprint", () => {
    for (const details of closed) details.open = false;
  });
  addEventListener("hashchange", follow);
  follow();
});
