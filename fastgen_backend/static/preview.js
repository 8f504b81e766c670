// The settings of the hosted pages: the preview and the contrast follow what is typed. Without script a button does it.
const form = document.getElementById("settings");
const button = document.getElementById("show-preview");
const contrast = document.getElementById("contrast");
const accent = form.elements.accent_color;
const address = button.formAction;
const isOurs = (answer) => answer.ok && !answer.redirected; // who was logged out meanwhile is led to log in
let preview = document.querySelector("iframe[name=preview]");
let latest = 0;

async function refresh() {
  const turn = ++latest;
  const body = new FormData(form);
  const answer = await fetch(address, { method: "POST", body });
  const page = await answer.text();
  if (turn !== latest || !isOurs(answer)) return;
  const next = preview.cloneNode(); // a new frame leaves nothing in the history, unlike one that goes to another page
  next.removeAttribute("src");
  next.srcdoc = page;
  preview.replaceWith(next);
  preview = next;
}

async function compare() {
  const colour = accent.value;
  const answer = await fetch(`${contrast.dataset.from}?${new URLSearchParams({ accent_color: colour })}`);
  if (isOurs(answer) && accent.value === colour) contrast.innerHTML = await answer.text();
}

function later(call, milliseconds) {
  let timer;
  return () => { clearTimeout(timer); timer = setTimeout(call, milliseconds); };
}

const refreshSoon = later(refresh, 300);
const compareSoon = later(compare, 300);
form.addEventListener("input", refreshSoon);
for (const each of form.elements) if (each.name === "scheme") each.addEventListener("change", refreshSoon);
accent.addEventListener("input", compareSoon);
form.addEventListener("input", (event) => { if (event.target.type === "color") compareSoon(); });
button.remove();
if (form.querySelector("[aria-invalid]")) refresh();
