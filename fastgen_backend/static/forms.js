// What a form is nicer with; every form works without it.

for (const form of document.querySelectorAll("form")) {
  // A second click would send the form twice, and the second answer would be the one that is seen.
  form.addEventListener("submit", (event) => {
    if (event.submitter?.formTarget) return; // its answer is shown elsewhere, and the form stays
    if (form.getAttribute("aria-busy") === "true") event.preventDefault();
    form.setAttribute("aria-busy", "true");
  });
}

// Who comes back with the browser's button finds the form as it was, ready to be sent.
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[aria-busy]")) form.removeAttribute("aria-busy");
});

for (const input of document.querySelectorAll("input[type=password][data-show]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "reveal";
  button.setAttribute("aria-controls", input.id);
  const tell = () => {
    const hidden = input.type === "password";
    button.textContent = hidden ? input.dataset.show : input.dataset.hide;
    button.setAttribute("aria-label", hidden ? input.dataset.showLabel : input.dataset.hideLabel);
  };
  button.addEventListener("click", () => {
    input.type = input.type === "password" ? "text" : "password";
    tell();
    input.focus();
  });
  input.form.addEventListener("submit", () => { input.type = "password"; }); // or the browser would offer it in other fields
  tell();
  input.after(button);
}
