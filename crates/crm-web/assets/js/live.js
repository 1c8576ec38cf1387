// What changed, as it happens: one stream for the whole browser, read by one of its pages and passed on to the others.
// Each change becomes an event of the document: crm:message, crm:conversation, crm:send, crm:customer, crm:company, …
// with the ids in `detail`; crm:reload when too much was missed, or when something came into sight or left it.
import { byItself } from "./http.js";
import { showLine } from "./line.js";

const CHANNEL = "crm.live";
const LOCK = "crm.live.stream";
const KINDS = ["conversation", "message", "send", "customer", "company", "member_notice", "gone", "reload"];
/** The server's sign of life comes every 15 seconds; so long without one, the line is dead. */
const SILENCE = 40_000;
const WATCH = 5_000;
/** How long a line may be cut, or its news old, before anybody is told. */
const QUIET = 10_000;
const FIRST_RETRY = 1_000;
const LAST_RETRY = 20_000;

export function startLive() {
  const place = document.querySelector('meta[name="crm-events"]');
  if (place) new Live(place.dataset.url, place.content).start();
}

class Live {
  constructor(address, cursor) {
    this.address = address;
    this.cursor = cursor;
    this.retry = FIRST_RETRY;
    this.stream = null;
    this.over = false;
    this.cut = null;
    this.stale = null;
    this.channel = "BroadcastChannel" in window && navigator.locks ? new BroadcastChannel(CHANNEL) : null;
  }

  start() {
    addEventListener("online", () => this.wake());
    addEventListener("pageshow", (event) => event.persisted && this.wake());
    addEventListener("pagehide", () => this.close());
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.wake());
    setInterval(() => this.watch(), WATCH);
    if (!this.channel) {
      this.lead();
      return;
    }
    this.channel.addEventListener("message", ({ data }) => this.hear(data));
    navigator.locks.request(LOCK, { ifAvailable: true }, (lock) => (lock ? this.hold() : this.follow()));
  }

  /** This page reads the stream until it goes. */
  hold() {
    this.lead();
    return new Promise(() => {});
  }

  /** Another page reads the stream; this one asks once for what it missed, and waits for its turn. */
  follow() {
    navigator.locks.request(LOCK, () => this.hold());
    this.catchUp();
    this.channel.postMessage({ asks: true });
  }

  lead() {
    this.leads = true;
    this.open();
  }

  open() {
    if (this.over) return;
    this.close();
    this.heard = Date.now();
    const stream = new EventSource(`${this.address}?${new URLSearchParams({ cursor: this.cursor })}`);
    this.stream = stream;
    stream.addEventListener("open", () => {
      this.heard = Date.now();
      this.retry = FIRST_RETRY;
      this.say({ up: true });
    });
    stream.addEventListener("error", () => stream === this.stream && this.broken());
    stream.addEventListener("beat", () => (this.heard = Date.now()));
    stream.addEventListener("stale", () => this.say({ stale: true }));
    stream.addEventListener("current", () => this.say({ stale: false }));
    stream.addEventListener("signed-out", () => this.say({ over: true }));
    for (const kind of KINDS) {
      stream.addEventListener(kind, (event) => {
        this.heard = Date.now();
        this.say({ kind, cursor: event.lastEventId, data: JSON.parse(event.data) });
      });
    }
  }

  close() {
    this.stream?.close();
    this.stream = null;
  }

  /** The browser comes back by itself, except after an answer that was no stream. */
  broken() {
    this.say({ up: false });
    if (this.stream.readyState !== EventSource.CLOSED) return;
    this.close();
    const wait = this.retry * (1 + Math.random() / 2);
    this.retry = Math.min(this.retry * 2, LAST_RETRY);
    this.again = setTimeout(() => this.open(), wait);
  }

  /** After sleep a line may be dead without anybody having noticed. */
  wake() {
    if (this.leads) {
      if (this.stream && Date.now() - this.heard < SILENCE) return;
      clearTimeout(this.again);
      this.open();
    } else {
      this.channel?.postMessage({ wakes: true });
      this.catchUp();
    }
  }

  watch() {
    if (this.leads && this.stream && Date.now() - this.heard > SILENCE) {
      this.say({ up: false });
      this.open();
    }
    if (this.cut && Date.now() - this.cut > QUIET) showLine("lost");
    else if (this.stale && Date.now() - this.stale > QUIET) showLine("stale");
  }

  /** Tells this page and the others. */
  say(what) {
    this.channel?.postMessage(what);
    this.hear(what);
  }

  hear(what) {
    if (what.asks && this.leads) this.answer();
    else if (what.wakes && this.leads) this.wake();
    else if (what.over) this.end();
    else if ("up" in what) this.setUp(what.up);
    else if ("stale" in what) this.setStale(what.stale);
    else if (what.kind) this.take(what);
  }

  /** How the stream fares, for a page that does not read it. */
  answer() {
    this.channel.postMessage({ up: !this.cut });
    if (this.stale) this.channel.postMessage({ stale: true });
  }

  setUp(up) {
    if (up) {
      this.cut = null;
      this.setStale(false);
    } else this.cut ??= Date.now();
  }

  /** The line holds, but the server cannot read what is new. */
  setStale(stale) {
    if (stale) this.stale ??= Date.now();
    else {
      this.stale = null;
      showLine(null);
    }
  }

  take({ kind, cursor, data }) {
    if (kind !== "reload" && !isLater(cursor, this.cursor)) return;
    this.cursor = cursor;
    pass(kind, data);
  }

  /** What came between the making of this page and its listening. */
  async catchUp() {
    const query = new URLSearchParams({ cursor: this.cursor });
    const response = await byItself(`${this.address}?${query}`, "application/json").catch(() => null);
    if (response?.status === 401) this.end();
    if (!response?.ok) return;
    const { reload, cursor, events } = await response.json();
    if (!reload && !isLater(cursor, this.cursor)) return;
    this.cursor = cursor;
    if (reload) tell("reload", {});
    else for (const { event, data } of events) pass(event, data);
  }

  end() {
    this.over = true;
    this.close();
    this.cut = null;
    showLine("signed-out");
  }
}

/** What is not seen any more is not named: what is shown is loaded anew. */
function pass(kind, data) {
  tell(kind === "gone" ? "reload" : kind, data);
}

function tell(kind, detail) {
  document.dispatchEvent(new CustomEvent(`crm:${kind}`, { detail, cancelable: true }));
}

/** Whether a place lies behind another, by transaction and number; of another history everything does. */
function isLater(one, other) {
  const [epoch, ...place] = one.split("-");
  const [known, ...last] = other.split("-");
  if (epoch !== known) return true;
  const [xid, seq] = place.map(Number);
  const [lastXid, lastSeq] = last.map(Number);
  return xid === lastXid ? seq > lastSeq : xid > lastXid;
}
