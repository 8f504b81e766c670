// On a phone the navigation is a row that is longer than the screen: where one is, is seen, and no word begins cut off.
const here = document.querySelector(".console nav a[aria-current]");
const row = here?.closest("nav");
if (row) {
  const middle = here.offsetLeft - (row.clientWidth - here.offsetWidth) / 2;
  const first = [...row.querySelectorAll("a")].findLast((entry) => entry.offsetLeft <= middle);
  row.scrollLeft = first ? first.offsetLeft - row.offsetLeft - parseFloat(getComputedStyle(row).paddingLeft) : 0;
}
