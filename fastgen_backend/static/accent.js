// A colour picker beside the field that takes #rrggbb.
for (const input of document.querySelectorAll("input[data-colour]")) {
  const picker = document.createElement("input");
  picker.type = "color";
  picker.setAttribute("aria-label", input.dataset.colour);
  const read = () => { if (/^#[0-9a-f]{6}$/i.test(input.value.trim())) picker.value = input.value.trim(); };
  input.addEventListener("input", read);
  picker.addEventListener("input", () => { input.value = picker.value; });
  read();
  input.before(picker);
  input.parentElement.classList.add("with-picker");
}
