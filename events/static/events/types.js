// Finds a type among those on the page: by its name or by what is said of it.

const bar = document.getElementById("search");
const found = document.getElementById("found");
const kinds = [...document.querySelectorAll("[data-text]")];
const links = new Map([...document.querySelectorAll(".types nav a")].map((link) => [link.hash.slice(1), link.parentElement]));

bar.hidden = false;
bar.querySelector("input").addEventListener("input", (event) => {
  const words = event.target.value.toLowerCase().split(/\s+/);
  let count = 0;
  for (const kind of kinds) {
    const isFound = words.every((word) => kind.dataset.text.includes(word));
    kind.hidden = !isFound;
    links.get(kind.id).hidden = !isFound;
    count += isFound;
  }
  found.textContent = `${count} / ${kinds.length}`;
});
