// What scripts say, in the language of the page: `{name}` stands for a value.
const words = JSON.parse(document.getElementById("words")?.textContent ?? "{}");

export function say(name, values = {}) {
  return (words[name] ?? name).replace(/\{(\w+)\}/g, (_all, key) => String(values[key]));
}

export function tell(text, { bad = false } = {}) {
  const said = document.getElementById("said");
  if (!said) return;
  said.textContent = text;
  said.classList.toggle("bad", bad);
}
