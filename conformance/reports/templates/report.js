"use strict";
(() => {
  const openUp = (node) => {
    for (let at = node; at; at = at.parentElement) {
      if (at.tagName === "DETAILS") at.open = true;
    }
  };
  const go = () => {
    const id = decodeURIComponent(location.hash.slice(1));
    const target = id && document.getElementById(id);
    if (!target) return;
    openUp(target);
    target.scrollIntoView({ block: target.tagName === "MARK" ? "center" : "start" });
    if (target.tabIndex >= -1) target.focus({ preventScroll: true });
  };
  addEventListener("hashchange", go);
  go();
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details.printed:not([open])")];
    for (const one of closed) one.open = true;
  });
  addEventListener("afterprint", () => {
    for (const one of closed) one.open = false;
    closed = [];
  });
})();
