// The server's answers, and its refusals as errors that say what to do.

export class ApiError extends Error {
  constructor(status, { code = "error", message, hint }) {
    super(message);
    Object.assign(this, { status, code, hint });
  }
}

const PATIENCE = [500, 1000, 2000, 4000]; // milliseconds before asking a busy server again
const STORED = "mien-key";

let key = sessionStorage.getItem(STORED) ?? "";
let askForKey = async () => "";

/** Say how a key is asked of the user: a promise of it, "" when there is none; it hears if one was refused. */
export function onKeyWanted(ask) {
  let asking = null;
  askForKey = (refused) => (asking ??= ask(refused).finally(() => { asking = null; }));
}

export async function predict(picture, name) {
  const { results } = await send("v1/predict", form("images", picture, name));
  if (results[0].error) throw new ApiError(422, results[0].error);
  return results[0];
}

/** Ask for the picture with each of these hidden: [{occluder, image, faces}]. */
export async function occlude(picture, name, occluders) {
  const body = form("image", picture, name);
  body.append("with", occluders.join(","));
  return (await send("v1/occlude", body)).results;
}

export function openLive() {
  const url = new URL("v1/live", location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return new WebSocket(url, key ? ["mien", `key.${encodeKey(key)}`] : []);
}

/** Make sure that the server answers, and that it has the key, before a socket is opened. */
export const check = () => send("v1/models", null);

async function send(path, body) {
  for (let turn = 0; ; turn += 1) {
    const used = key;
    const answer = await ask(path, body);
    if (answer.ok) return answer.json();
    const error = await refusal(answer);
    if (error.status === 401 && (await renewKey(used))) continue;
    const busy = error.status === 429 || error.status === 503;
    if (!busy || turn >= PATIENCE.length) throw error;
    await new Promise((done) => { setTimeout(done, PATIENCE[turn]); });
  }
}

async function ask(path, body) {
  const headers = key ? { "X-API-Key": key } : {};
  try {
    return await fetch(path, { method: body ? "POST" : "GET", body, headers });
  } catch {
    throw new ApiError(0, {
      code: "unreachable",
      message: "The server does not answer.",
      hint: "Is mien serve still running? Start it again, then try again.",
    });
  }
}

async function refusal(answer) {
  const said = await answer.json().catch(() => ({}));
  const unknown = { message: `The server answered ${answer.status} ${answer.statusText}.` };
  return new ApiError(answer.status, said.error ?? unknown);
}

/** Get another key than the one that was refused; tell whether there is one. */
async function renewKey(used) {
  if (key && key !== used) return true;
  key = await askForKey(Boolean(used));
  sessionStorage.setItem(STORED, key);
  return Boolean(key);
}

function form(field, picture, name) {
  const body = new FormData();
  body.append(field, picture, name);
  return body;
}

/** Write a key in letters that a WebSocket's subprotocol may have. */
function encodeKey(text) {
  const bytes = String.fromCharCode(...new TextEncoder().encode(text));
  return btoa(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
