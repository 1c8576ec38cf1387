// The board: after a change its lines are asked for, and only the lines that differ are replaced. Focus, scroll position and
// open dialogs stay.
import { pause, showCounts } from "./counts.js";
import { byItself } from "./http.js";
import { coalesced } from "./regions.js";
import { tellAges } from "./waits.js";

const MARKED = 20_000;

export function startBoard() {
  const board = document.querySelector("[data-board]");
  if (!board) return;
  const refresh = coalesced(() => replace(board), pause());
  for (const kind of ["conversation", "message", "send", "handled"]) {
    document.addEventListener(`crm:${kind}`, refresh);
  }
  document.addEventListener("crm:reload", (event) => {
    event.preventDefault();
    refresh();
  });
  board.addEventListener("crm:stale", refresh);
  tellAges(board);
}

async function replace(board) {
  const response = await byItself(board.dataset.board, "text/html").catch(() => null);
  if (!response?.ok || response.redirected) return;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const fresh = page.querySelector("[data-board-counts]");
  if (!fresh) return;
  await released(board);
  const keep = keepPlace(board);
  const known = placesOf(board);
  for (const line of fresh.querySelectorAll("[data-line]")) {
    const old = board.querySelector(`[data-line="${line.dataset.line}"]`);
    if (old && plain(old) === plain(line)) line.replaceWith(old);
    else if (known.get(line.dataset.line) !== line.dataset.place) mark(line);
  }
  const { waiting, mine, unknown } = fresh.dataset;
  board.replaceChildren(...[...fresh.childNodes].map((node) => document.adoptNode(node)));
  keep();
  showCounts({ waiting, mine, unknown });
  tellAges(board);
  board.dispatchEvent(new CustomEvent("crm:replaced", { bubbles: true }));
}

/** Nothing moves away under a finger that is pressing it. */
async function released(board) {
  for (let tries = 0; tries < 40 && board.querySelector("a:active, button:active"); tries += 1) {
    await new Promise((go) => setTimeout(go, 50));
  }
}

function placesOf(board) {
  return new Map([...board.querySelectorAll("[data-line]")].map((line) => [line.dataset.line, line.dataset.place]));
}

function mark(line) {
  line.classList.add("is-moved");
  setTimeout(() => line.classList.remove("is-moved"), MARKED);
}

/** Proofs of forms differ from page to page; focus, marks and passing minutes are this page's own. */
function plain(line) {
  const copy = line.cloneNode(true);
  copy.classList.remove("is-moved");
  copy.removeAttribute("tabindex");
  for (const proof of copy.querySelectorAll('[name="csrf_token"]')) proof.removeAttribute("value");
  for (const button of copy.querySelectorAll("button")) button.removeAttribute("disabled");
  for (const age of copy.querySelectorAll("[data-since]")) age.textContent = "";
  return copy.outerHTML.replace(/\s+/g, " ");
}

/** The first line in sight stays where it is, and the focus where it was, also when the line has gone elsewhere. */
function keepPlace(board) {
  const active = document.activeElement;
  const focused = board.contains(active) ? address(active) : null;
  const bar = document.querySelector(".topbar")?.offsetHeight ?? 0;
  const seen = [...board.querySelectorAll("[data-line]")].find((line) => line.getBoundingClientRect().top >= bar);
  const top = seen?.getBoundingClientRect().top;
  const from = scrollY;
  return () => {
    const again = from > 0 && seen && document.getElementById(seen.id);
    if (again && again.dataset.place === seen.dataset.place) scrollBy(0, again.getBoundingClientRect().top - top);
    if (focused) find(focused)?.focus({ preventScroll: true });
  };
}

/** How to find an element of the board again: its line, and its button or link in there. */
function address(element) {
  const line = element.closest("[data-line]");
  const form = element.closest("form");
  const mark = form ? `form[action="${form.getAttribute("action")}"] [type=submit]` : null;
  const href = element.getAttribute("href");
  return { line: line?.id, inside: mark ?? (href ? `[href="${CSS.escape(href)}"]` : null) };
}

function find({ line, inside }) {
  const row = line ? document.getElementById(line) : document.querySelector("[data-board]");
  if (!row) return null;
  const exact = inside && row.querySelector(inside);
  return exact || (line ? row : null);
}
