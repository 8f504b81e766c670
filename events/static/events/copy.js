// Buttons that copy the text of what `data-copies` names. Where there is no clipboard to write to, there are none.

if (navigator.clipboard) {
  for (const button of document.querySelectorAll("button[data-copies]")) {
    const label = button.textContent;
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copies).textContent);
      button.textContent = button.dataset.copied;
      setTimeout(() => { button.textContent = label; }, 1500);
    });
  }
}
