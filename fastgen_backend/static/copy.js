// A button to copy each example. Where there is no clipboard to write to, there is none.

const page = document.querySelector("[data-copy]");

if (page && navigator.clipboard) {
  for (const example of page.querySelectorAll("pre")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button slim copy";
    button.textContent = page.dataset.copy;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(example.textContent);
      button.textContent = page.dataset.copied;
      setTimeout(() => { button.textContent = page.dataset.copy; }, 1500);
    });
    const frame = document.createElement("div");
    frame.className = "example";
    example.replaceWith(frame);
    frame.append(example, button);
  }
}
