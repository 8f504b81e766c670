// The progress of an upload, beside the form that htmx sends.

document.addEventListener("htmx:xhr:progress", ({ target, detail }) => {
  const sending = target.querySelector?.(".sending");
  if (!sending || !detail.lengthComputable) return;
  const bar = sending.querySelector("progress");
  const percent = Math.floor((100 * detail.loaded) / detail.total);
  const words = sending.querySelector("label");
  sending.hidden = false;
  bar.value = percent;
  words.textContent = percent < 100 ? `${sending.dataset.sending} ${percent} %` : sending.dataset.storing;
});

// The chosen file outlives a refusal; what is wrong with it is told at its field all the same.
document.addEventListener("htmx:afterSwap", () => {
  const input = document.querySelector("#chosen input");
  const isWrong = document.getElementById("id_file_error") !== null;
  if (!input) return;
  for (const [name, value] of [["aria-invalid", "true"], ["aria-describedby", "id_file_error"]]) {
    if (isWrong) input.setAttribute(name, value);
    else input.removeAttribute(name);
  }
  document.querySelector("#upload [aria-invalid=true]")?.focus();
});

document.addEventListener("htmx:sendError", ({ target }) => {
  const words = target.querySelector?.(".sending label");
  if (!words) return;
  words.textContent = words.parentElement.dataset.broken;
  target.removeAttribute("aria-busy");
});
