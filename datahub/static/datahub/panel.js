// The panel: a page beside another one. Links and forms in it are htmx's to fetch; this is about where the focus goes,
// and that nothing that was typed there is lost without a word.
import { ask } from "./ask.js";
import { say, tell } from "./words.js";

const panel = document.getElementById("panel");
let opener = null;
let isChanged = false; // something was typed that is not saved

// On a small screen the panel stands before the page, of which nothing can be reached then.
function setBehind(isOpen) {
  const isWhole = isOpen && matchMedia("(max-width: 900px)").matches;
  const scroller = panel.previousElementSibling;
  for (const each of [scroller, ...document.querySelectorAll(".page > :not(.split)")]) if (each) each.inert = isWhole;
}

async function mayLeave() {
  if (!isChanged) return true;
  const answers = [{ value: "leave", text: say("discard"), kind: "danger" }];
  return (await ask({ title: say("discardTitle"), text: say("discardText"), answers })) === "leave";
}

async function close() {
  if (panel.hidden || !(await mayLeave())) return;
  isChanged = false;
  panel.hidden = true;
  panel.replaceChildren();
  setBehind(false);
  (opener?.checkVisibility?.() ? opener : document.querySelector("#grid .here"))?.focus();
  opener = null;
}

if (panel) {
  document.addEventListener("htmx:confirm", (event) => {
    const isOwnForm = event.detail.elt.matches("form") && panel.contains(event.detail.elt);
    if (event.detail.target !== panel || isOwnForm || !isChanged) return;
    event.preventDefault();
    mayLeave().then((may) => {
      if (!may) return;
      isChanged = false;
      event.detail.issueRequest(true);
    });
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.target !== panel) return;
    if (panel.hidden) opener = document.activeElement;
    if (event.detail.elt.matches("form")) event.detail.elt.inert = true; // what is typed now would be lost
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.elt.matches("form")) event.detail.elt.inert = false;
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target !== panel) return;
    isChanged = event.detail.xhr.status >= 400;
    panel.hidden = false;
    setBehind(true);
    const first = panel.querySelector("[aria-invalid=true], [autofocus]") ?? panel.querySelector("#panel-heading");
    first?.focus();
  });
  document.addEventListener("htmx:beforeOnLoad", (event) => {
    const next = event.detail.xhr.getResponseHeader("HX-Redirect");
    if (next && !next.startsWith("/console/login")) isChanged = false; // it was saved
  });
  // A refusal is for the panel to show, not for a part of the page that asked for more of itself.
  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr, target } = event.detail;
    if (xhr.status < 400) return;
    const page = new DOMParser().parseFromString(xhr.responseText, "text/html");
    const isLate = !page.querySelector(".panel form") && panel.querySelector("form"); // what was typed there stays
    if (target === panel && page.querySelector(".panel") && !isLate) return;
    event.detail.shouldSwap = false;
    const detail = page.querySelector(".notice p")?.textContent ?? xhr.status;
    if (target === panel) tell(say("notOpened", { detail }), { bad: true });
  });
  panel.addEventListener("input", () => { isChanged = true; });
  panel.addEventListener("click", (event) => {
    if (event.target.closest("[data-close-panel]")) close();
  });
  panel.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.defaultPrevented) close();
  });
  document.addEventListener("htmx:sendError", (event) => {
    if (event.detail.target === panel) tell(say("notOpened", { detail: say("unreachable") }), { bad: true });
  });
  addEventListener("beforeunload", (event) => {
    if (isChanged) event.preventDefault();
  });
}
