// Starts what the page has. Everything here only makes better what works without it.
import { startBoard } from "./board.js";
import { startComposer, startDraft } from "./composer.js";
import { startConversation } from "./conversation.js";
import { startCounts } from "./counts.js";
import { startDialogs } from "./dialog.js";
import { startForms } from "./forms.js";
import { startHandling } from "./handling.js";
import { startKana } from "./kana.js";
import { startMemberChoice } from "./members.js";
import { startReload } from "./line.js";
import { startLive } from "./live.js";
import { startMenus } from "./menus.js";
import { startModes } from "./modes.js";
import { startPhone } from "./phone.js";
import { startRegions } from "./regions.js";
import { startRows } from "./rows.js";
import { startToasts } from "./toast.js";

document.documentElement.classList.add("js");

startMenus();
startDialogs();
startToasts();
startRows();
startForms();
startHandling();
startMemberChoice();
startKana();
const conversation = startConversation();
startComposer(conversation);
startModes();
startDraft();
startPhone();
startBoard();
startCounts();
startRegions();
startReload();
startLive();
