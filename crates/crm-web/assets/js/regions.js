// Parts of a page that show data: after a change the page is asked for once, and the parts that differ are replaced.
// `data-follow="message customer"` names the kinds; `data-follow-customer="7"` (or -company, -conversation) limits them.
import { byItself } from "./http.js";

const IDS = ["customer", "company", "conversation"];
const PAUSE = 500;

export function startRegions() {
  askAgain();
  const regions = () => [...document.querySelectorAll("[data-follow][id]")];
  const kinds = new Set(regions().flatMap((region) => region.dataset.follow.split(" ")));
  if (!kinds.size) return;
  const refresh = coalesced(() => replace(regions()), PAUSE);
  for (const kind of kinds) {
    document.addEventListener(`crm:${kind}`, ({ detail }) => {
      if (regions().some((region) => concerns(region, kind, detail))) refresh();
    });
  }
}

/** A region with `data-again="2"` somewhere in it shows work under way: it is asked for every two seconds until it does not. */
function askAgain() {
  const mark = document.querySelector("[id] [data-again]");
  if (!mark) return;
  setTimeout(async () => {
    if (document.visibilityState === "visible") await replace([mark.closest("[id]:not(main)")]);
    askAgain();
  }, Number(mark.dataset.again) * 1_000);
}

function concerns(region, kind, detail) {
  if (!region.dataset.follow.split(" ").includes(kind)) return false;
  const wanted = IDS.filter((id) => region.hasAttribute(`data-follow-${id}`));
  return wanted.every((id) => detail[id] === undefined || String(detail[id]) === region.getAttribute(`data-follow-${id}`));
}

async function replace(regions) {
  const response = await byItself(location.href, "text/html").catch(() => null);
  if (!response?.ok || response.redirected) return;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const region of regions) {
    const fresh = page.getElementById(region.id);
    if (!fresh || plain(fresh).isEqualNode(plain(region)) || isHeld(region)) continue;
    const focus = keepFocus(region);
    region.replaceChildren(...[...fresh.childNodes].map((node) => document.importNode(node, true)));
    focus();
    region.dispatchEvent(new CustomEvent("crm:replaced", { bubbles: true }));
  }
}

/** Proofs of forms differ from page to page; roving focus is this page's own. */
function plain(region) {
  const copy = region.cloneNode(true);
  for (const proof of copy.querySelectorAll('[name="csrf_token"]')) proof.removeAttribute("value");
  for (const row of copy.querySelectorAll("[tabindex]")) row.removeAttribute("tabindex");
  return copy;
}

/** What is being typed or asked here is not taken away; the next change shows it. */
function isHeld(region) {
  const active = document.activeElement;
  return region.contains(active) && active.matches("input, textarea, select");
}

/** The focus stays on the link, row or button that had it. */
function keepFocus(region) {
  const active = document.activeElement;
  if (!region.contains(active) || active === region) return () => {};
  const mark = ["id", "data-href", "href", "name"].find((name) => active.hasAttribute(name));
  const value = mark && active.getAttribute(mark);
  return () => mark && region.querySelector(`[${mark}="${CSS.escape(value)}"]`)?.focus({ preventScroll: true });
}

/** At most one run at a time and one every `pause`; while nobody looks the run waits until somebody does. */
export function coalesced(run, pause) {
  let due = false;
  let running = false;
  const go = async () => {
    if (running || !due || document.visibilityState !== "visible") return;
    running = true;
    due = false;
    await run();
    setTimeout(() => {
      running = false;
      go();
    }, pause);
  };
  document.addEventListener("visibilitychange", go);
  return () => {
    due = true;
    go();
  };
}
