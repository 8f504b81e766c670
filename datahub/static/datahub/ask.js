// Asks before something is done: resolves to the value of the button that was chosen, and to "" where none was.
import { say } from "./words.js";

// What is urgent has no button under the fingers of who is typing.
export function ask({ title, text, answers, lines = [], isUrgent = false }) {
  const dialog = document.createElement("dialog");
  dialog.className = "ask";
  dialog.setAttribute("aria-labelledby", "ask-title");
  const heading = Object.assign(document.createElement("h2"), { id: "ask-title", textContent: title });
  const paragraph = Object.assign(document.createElement("p"), { textContent: text });
  const list = document.createElement("dl");
  for (const [term, value] of lines) {
    list.append(
      Object.assign(document.createElement("dt"), { textContent: term }),
      Object.assign(document.createElement("dd"), { textContent: value }),
    );
  }
  const form = document.createElement("form");
  form.method = "dialog";
  const cancel = { value: "", text: say("cancel"), kind: "plain" };
  for (const answer of [...answers, cancel]) {
    const button = Object.assign(document.createElement("button"), { value: answer.value, textContent: answer.text });
    button.className = `button slim ${answer.kind ?? ""}`;
    form.append(button);
  }
  dialog.append(heading, ...(text ? [paragraph] : []), ...(lines.length ? [list] : []), form);
  (document.querySelector("main") ?? document.body).append(dialog);
  const before = document.activeElement;
  dialog.showModal();
  if (isUrgent) heading.tabIndex = -1;
  (isUrgent ? heading : form.querySelector("button")).focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      before?.focus?.({ preventScroll: true });
      resolve(dialog.returnValue);
    });
  });
}
