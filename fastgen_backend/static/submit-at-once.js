// In the browser that asked for the mail, the click on its link is enough; elsewhere this file is not loaded.
document.querySelector("form[data-at-once]").requestSubmit();
