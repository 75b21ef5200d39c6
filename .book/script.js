const root = document.body.dataset.root;
const search = document.getElementById("search"), found = document.getElementById("found");
const contents = document.getElementById("contents"), menu = document.getElementById("menu");

document.getElementById("theme").onclick = () => {
  const page = document.documentElement;
  const dark = page.dataset.theme ? page.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  page.dataset.theme = dark ? "light" : "dark";
  localStorage.setItem("smoe-book-theme", page.dataset.theme);
};

function openContents(open) {
  contents.classList.toggle("open", open);
  menu.setAttribute("aria-expanded", open);
}
menu.onclick = () => openContents(!contents.classList.contains("open"));
contents.onclick = event => { if (event.target.closest("a")) openContents(false); };
const here = contents.querySelector("[aria-current]");
if (here) contents.scrollTop = here.offsetTop - contents.clientHeight / 3;

// The index is a script of the book and not data, because a page opened from a disk may not read other files.
let index;
function withIndex(use) {
  if (window.bookIndex) return use();
  if (index) return;
  index = document.createElement("script");
  index.src = root + "index.js";
  index.onload = use;
  document.head.append(index);
}

const pattern = words => new RegExp("(" + words.map(word => word.replace(/[^a-z0-9]/g, "\\$&")).join("|") + ")", "gi");

function marked(text, words) {
  const holder = document.createElement("span");
  for (const part of text.split(pattern(words))) {
    const node = words.includes(part.toLowerCase()) ? document.createElement("mark") : document.createElement("span");
    node.textContent = part;
    holder.append(node);
  }
  return holder;
}

// A section counts if it has all words; those with a word in the title come first.
function show() {
  const words = search.value.toLowerCase().split(/\s+/).filter(word => word);
  found.hidden = words.length === 0;
  if (found.hidden) return;
  const hits = [];
  for (const [page, title, text] of bookIndex) {
    const low = text.toLowerCase(), head = title.toLowerCase();
    if (words.every(word => head.includes(word) || low.includes(word)))
      hits.push({page, title, text, low, rank: words.filter(word => head.includes(word)).length});
  }
  hits.sort((a, b) => b.rank - a.rank);
  found.replaceChildren(...hits.slice(0, 30).map(hit => {
    const link = document.createElement("a"), title = document.createElement("b"), small = document.createElement("small");
    const at = Math.max(0, ...words.map(word => hit.low.indexOf(word)));
    link.href = root + hit.page;
    title.append(marked(hit.title, words));
    small.append(marked((at > 60 ? "… " : "") + hit.text.slice(Math.max(0, at - 60), at + 120), words));
    link.append(title, small);
    return link;
  }));
  if (hits.length === 0) found.innerHTML = "<p>No section has all of these words.</p>";
}
search.onfocus = search.oninput = () => withIndex(show);
// Slides: the next section, or the one before.
function turnSlide(by) {
  const slides = [...document.querySelectorAll("section")], top = innerHeight / 3;
  const now = slides.filter(slide => slide.getBoundingClientRect().top <= top).length - 1;
  slides[Math.min(slides.length - 1, Math.max(0, now + by))].scrollIntoView();
}

addEventListener("keydown", event => {
  const by = {ArrowRight: 1, PageDown: 1, ArrowLeft: -1, PageUp: -1}[event.key];
  if (by && document.body.className === "slides" && document.activeElement !== search) {
    turnSlide(by);
    event.preventDefault();
  } else if (event.key === "/" && !/INPUT|TEXTAREA/.test(document.activeElement.tagName)) {
    search.focus();
    event.preventDefault();
  } else if (event.key === "Escape") {
    found.hidden = true;
    openContents(false);
  } else if (event.key === "Enter" && document.activeElement === search && found.querySelector("a")) {
    found.querySelector("a").click();
  }
});
addEventListener("click", event => { if (!found.contains(event.target) && event.target !== search) found.hidden = true; });
