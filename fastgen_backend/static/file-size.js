// A file that is too large is told so at its field and let go at once: sent, it could cost the whole form.
for (const input of document.querySelectorAll("input[type=file][data-largest]")) {
  const message = document.createElement("p");
  message.className = "wrong";
  message.setAttribute("role", "alert");
  input.closest(".field").querySelector(".entry").after(message);
  input.addEventListener("input", () => {
    const isTooLarge = [...input.files].some((file) => file.size > Number(input.dataset.largest));
    message.textContent = isTooLarge ? input.dataset.tooLarge : "";
    if (isTooLarge) input.value = "";
  });
}
