// The log asks for what is new every two seconds, while its switch is on and somebody looks.

const choice = document.getElementById("live-switch");

if (choice) {
  choice.closest("label").hidden = false; // without script there is nothing to switch
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.target.id === "live" && (!choice.checked || document.hidden)) event.preventDefault();
  });
}
