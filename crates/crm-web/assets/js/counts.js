// How many wait: beside the menu, on the tabs and before the page's title.
import { byItself } from "./http.js";
import { coalesced } from "./regions.js";

/** No two pages ask at the same moment. */
export const pause = () => 600 + Math.random() * 300;

export function startCounts() {
  const menu = document.querySelector("[data-counts]");
  // The board gets them together with its lines.
  if (!menu || document.querySelector("[data-board]")) return;
  const refresh = coalesced(async () => {
    const response = await byItself(menu.dataset.counts, "application/json").catch(() => null);
    if (response?.ok && !response.redirected) showCounts(await response.json());
  }, pause());
  for (const kind of ["conversation", "handled"]) document.addEventListener(`crm:${kind}`, refresh);
}

/** Shows counts that are words already: `12`, `999+`, or nothing. */
export function showCounts(counts) {
  for (const place of document.querySelectorAll("[data-count]")) {
    const words = counts[place.dataset.count] ?? "";
    if (place.textContent !== words) place.textContent = words;
  }
  const mark = document.querySelector("[data-title]")?.dataset.title;
  if (!mark) return;
  const [before, after] = mark.split("#");
  const title = bare(document.title, before, after);
  document.title = counts.waiting ? before + counts.waiting + after + title : title;
}

function bare(title, before, after) {
  const end = title.indexOf(after);
  const isCounted = title.startsWith(before) && /^[0-9]+\+?$/.test(title.slice(before.length, end));
  return isCounted ? title.slice(end + after.length).trimStart() : title;
}
