// The list below an editor: choices to pick by typing, arrows and Enter, or with the mouse.
let count = 0;

// `find(typed)` gives the options, each `{ value, label, isOn }`, or a promise of them; `pick(option)` is told.
export function choicesFor(input, { find, pick, many = false }) {
  count += 1;
  const list = document.createElement("ul");
  list.id = `choices-${count}`;
  list.className = "choices-list";
  list.setAttribute("role", "listbox");
  if (many) list.setAttribute("aria-multiselectable", "true");
  list.popover = "manual";
  (input.closest("main") ?? document.body).append(list);
  for (const [name, value] of [["role", "combobox"], ["aria-expanded", "true"], ["aria-controls", list.id], ["autocomplete", "off"]]) {
    input.setAttribute(name, value);
  }
  let options = [];
  let at = -1;
  let asked = 0;
  let answered = Promise.resolve();

  function show() {
    options = []; // those of before are not for what is typed now
    point(-1);
    answered = fill();
  }

  async function fill() {
    asked += 1;
    const mine = asked;
    const found = await find(input.value.trim());
    if (mine !== asked || !list.isConnected) return;
    options = found;
    list.replaceChildren(...options.map((option, index) => {
      const item = document.createElement("li");
      item.id = `${list.id}-${index}`;
      item.textContent = option.label;
      item.setAttribute("role", "option");
      item.setAttribute("aria-selected", String(Boolean(option.isOn)));
      return item;
    }));
    point(nearest(input.value.trim().toLowerCase()));
    place();
  }

  // What is meant: the very same, else what begins so, else the first; nothing where nothing is typed.
  function nearest(typed) {
    if (!typed || !options.length) return -1;
    const labels = options.map((option) => option.label.toLowerCase());
    const same = labels.indexOf(typed);
    return same >= 0 ? same : Math.max(labels.findIndex((label) => label.startsWith(typed)), 0);
  }

  function place() {
    const box = input.getBoundingClientRect();
    if (!list.matches(":popover-open")) list.showPopover();
    list.hidden = !options.length;
    const below = innerHeight - box.bottom;
    list.style.left = `${Math.max(4, Math.min(box.left, innerWidth - list.offsetWidth - 4))}px`;
    list.style.minWidth = `${box.width}px`;
    list.style.top = below < list.offsetHeight + 8 && box.top > below ? `${box.top - list.offsetHeight - 2}px` : `${box.bottom + 2}px`;
  }

  function point(index) {
    list.children[at]?.classList.remove("at");
    at = index;
    const item = list.children[at];
    item?.classList.add("at");
    item?.scrollIntoView({ block: "nearest" });
    if (item) input.setAttribute("aria-activedescendant", item.id);
    else input.removeAttribute("aria-activedescendant");
  }

  list.addEventListener("pointerdown", (event) => {
    event.preventDefault(); // the editor keeps the focus
    const index = [...list.children].indexOf(event.target.closest("li"));
    if (index >= 0) choose(index);
  });

  function choose(index) {
    pick(options[index]);
    if (many) {
      input.value = "";
      show();
    }
  }

  input.addEventListener("input", show);
  show();

  return {
    // Whether the key was the list's; `Enter` picks what is pointed at.
    takes(event) {
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        const step = event.key === "ArrowDown" ? 1 : -1;
        if (options.length) point((at + step + options.length + (at < 0 && step < 0 ? 1 : 0)) % options.length);
        return true;
      }
      if (event.key === "Enter" && at >= 0) {
        choose(at);
        return true;
      }
      if (event.key === "Tab" && at >= 0 && input.value.trim()) choose(at);
      return false;
    },
    // Until what was typed last has been looked for.
    async ready() {
      for (let before = null; before !== answered;) {
        before = answered;
        await before;
      }
    },
    close() {
      asked += 1;
      input.removeEventListener("input", show);
      list.remove();
    },
    contains: (node) => list.contains(node),
  };
}
