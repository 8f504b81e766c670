// On a phone the navigation is a row that is longer than the screen: where one is, is seen.
const here = document.querySelector(".console nav a[aria-current]");
const row = here?.closest("nav");
if (row) row.scrollLeft = here.offsetLeft - row.offsetLeft - (row.clientWidth - here.offsetWidth) / 2;
