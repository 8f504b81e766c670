// One more line in a form, from its template, without going to the server and back. Without script the button asks there.

for (const lines of document.querySelectorAll("[data-lines]")) {
  const button = lines.parentElement.querySelector("[data-add-line]");
  const template = lines.querySelector("template");
  const last = [...lines.querySelectorAll("[name^=columns-]")].at(-1);
  let next = last ? Number(last.name.split("-")[1]) + 1 : 0;
  if (!button || !template) continue;

  button.type = "button";
  button.addEventListener("click", () => {
    const line = template.content.cloneNode(true);
    for (const element of line.querySelectorAll("*")) {
      for (const name of ["id", "name", "for", "aria-describedby"]) {
        const value = element.getAttribute(name);
        if (value) element.setAttribute(name, value.replaceAll("__n__", next));
      }
    }
    const first = line.querySelector("input");
    template.before(line);
    first.focus();
    next += 1;
    button.hidden = lines.querySelectorAll(":scope > fieldset").length >= Number(lines.dataset.most);
  });
}
