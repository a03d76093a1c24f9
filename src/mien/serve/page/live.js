// Frames out, answers in: what the webcam and a video have in common. One frame is under way at a
// time, and the next is the newest there is, so answers never fall behind the picture.

import { ApiError, check, openLive } from "./api.js";
import { CHOICES } from "./compare.js";
import { chips, complain, copy, find, plural, save } from "./dom.js";
import { annotated } from "./drawing.js";
import { Answers, Boxes, scaled } from "./faces.js";
import { Frames } from "./frames.js";
import { liveCsv, liveLine } from "./table.js";
import { Timeline } from "./timeline.js";

const LONGER = 640; // pixels of a frame's longer side as it is sent
const PATIENCE = 15000; // milliseconds for one answer
const IDLE = 5000; // milliseconds without a frame after which another client may have the place
const ROWS = 200000;
const RECENT = 30; // seconds of a camera's timeline

export class Live {
  #run = null;
  #runs = 0;
  #lines = []; // of the table, from all runs
  #settings = { occlude: [], smooth: true, image: true };

  /** moving: a camera, whose timeline moves on; taken: hears a picture to compare, and its name. */
  constructor(place, { moving, stopped, taken }) {
    place.append(copy("stage"));
    Object.assign(this, { place, moving, stopped, mirror: moving });
    this.video = find("video", place);
    this.frames = new Frames(this.video);
    this.view = find(".view", place);
    this.error = find(".error", place);
    this.pace = find(".pace", place);
    this.cover = find(".cover", place);
    this.grabbed = document.createElement("canvas");
    const [hide, more] = place.querySelectorAll(".chips");
    chips(hide, CHOICES, (occlude) => this.#set({ occlude }));
    const views = { ...(moving && { mirror: "Mirror" }), smooth: "Smooth" };
    chips(more, views, (on) => this.#look(on), ["mirror", "smooth"]);
    this.#reflect();
    this.video.addEventListener("resize", () => this.#shape());
    find(".stop", place).addEventListener("click", () => {
      this.stop();
      find(".intro button, .intro input", place.parentElement).focus();
    });
    this.kept = copy("table").firstElementChild;
    find(".intro", place.parentElement).append(this.kept);
    for (const part of [place, this.kept]) {
      find(".csv", part).addEventListener("click", () => save(liveCsv(this.#lines), "mien-live.csv"));
    }
    find(".png", place).addEventListener("click", () => this.#savePng());
    find(".snap", place).addEventListener("click", async () => {
      const blob = await this.#encoded(this.#frame(Infinity), "image/png");
      taken(new File([blob], `${moving ? "webcam" : "video"}-${stamp()}.png`));
    });
  }

  /** Read the frames of the video, which plays, until it is stopped; the source is named in the table. */
  async start(source) {
    this.#runs += 1;
    const now = performance.now();
    const run = { source, number: this.#runs, answers: 0, since: now, start: now };
    Object.assign(run, { sent: 0, tracks: 0, before: 0 }); // frames; faces, those of earlier sockets
    this.#run = run;
    this.faces = [];
    find(".boxes", this.place).replaceChildren();
    find(".answers", this.place).replaceChildren();
    this.boxes = new Boxes(find(".boxes", this.place));
    this.answers = new Answers(find(".answers", this.place), "No face in view.");
    const moving = this.moving || !Number.isFinite(this.video.duration);
    const seconds = moving ? RECENT : this.video.duration;
    this.timeline = new Timeline(find(".lanes", this.place), seconds, { moving });
    complain(this.error, null);
    try {
      await check();
      run.socket = await connected(openLive());
      this.#set({});
      while (this.#run === run) await this.#turn(run);
    } catch (error) {
      if (this.#run === run) {
        this.#end();
        complain(this.error, error, () => this.start(source));
      }
    } finally {
      run.socket?.close();
    }
  }

  stop() {
    this.#end();
    this.stopped();
  }

  /** Stop because of an error that another try does not mend. */
  fail(error) {
    this.#end();
    complain(this.error, error);
  }

  #end() {
    this.#run?.socket?.close();
    this.#run = null;
    this.pace.textContent = "";
    this.kept.hidden = !this.#lines.length;
    find("p", this.kept).textContent = `${plural(this.#lines.length, "row")} in the table`;
  }

  async #turn(run) {
    const idle = setTimeout(() => this.#rest(run), IDLE);
    const seen = await this.frames.next();
    clearTimeout(idle);
    if (this.#run !== run) return;
    if (!run.socket) {
      run.socket = await connected(openLive());
      this.#tell();
    }
    const time = this.moving ? (performance.now() - run.start) / 1000 : seen;
    const frame = this.#frame(LONGER);
    const picture = await this.#encoded(frame, "image/jpeg");
    if (this.#run !== run) return;
    run.socket.send(picture);
    run.sent += 1;
    const { occlude } = this.#settings;
    const answer = await answered(run.socket);
    if (this.#run === run && answer) await this.#show(run, answer, { time, occlude });
  }

  /** Close the socket of a film that stands still; the server counts the faces of the next from 1. */
  #rest(run) {
    if (this.#run !== run) return;
    run.socket?.close();
    run.socket = null;
    run.before = run.tracks;
    this.pace.textContent = "";
  }

  async #show(run, answer, { time, occlude }) {
    const { width, height } = answer;
    await this.#cover(answer);
    if (this.#run !== run) return;
    const tracks = answer.faces.map(({ track }) => run.before + track);
    run.tracks = Math.max(run.tracks, ...tracks);
    this.faces = answer.faces.map((face, n) => ({ ...face, track: tracks[n], key: tracks[n] }));
    this.size = { width, height, mirror: this.mirror };
    this.boxes.update(this.faces, this.size);
    this.answers.update(this.faces);
    this.timeline.add(this.faces, time);
    if (occlude === this.#settings.occlude) this.#keep(run, { time, occlude });
    run.answers += 1;
    const now = performance.now();
    if (now - run.since < 500) return;
    const perSecond = (1000 * run.answers) / (now - run.since);
    const rate = perSecond.toFixed(perSecond < 10 ? 1 : 0);
    this.pace.textContent = `${rate} a second · ${Math.round(answer.ms)} ms`;
    Object.assign(run, { answers: 0, since: now });
  }

  /** Add the faces to the table, where it is known what was hidden in the frame. */
  #keep({ source, number: run, sent: frame }, { time, occlude }) {
    const read = { source, run, time, frame, hide: occlude.join("+") || "none" };
    this.#lines.push(...this.#inFull().map((face) => liveLine(read, face)));
    if (this.#lines.length > ROWS) this.#lines.splice(0, ROWS / 10);
  }

  /** Lay the frame as the model saw it over the picture, where something is hidden in it. */
  async #cover({ image }) {
    if (image) {
      const seen = new Image();
      seen.src = image;
      await seen.decode();
      Object.assign(this.cover, { width: seen.naturalWidth, height: seen.naturalHeight });
      this.cover.getContext("2d").drawImage(seen, 0, 0);
    }
    this.cover.hidden = !image;
  }

  #set(changes) {
    Object.assign(this.#settings, changes);
    this.#tell();
    if (this.video.paused) this.frames.again();
  }

  #tell() {
    const socket = this.#run?.socket;
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(this.#settings));
  }

  #look(on) {
    this.mirror = on.includes("mirror");
    this.#reflect();
    this.#set({ smooth: on.includes("smooth") });
  }

  #shape() {
    const { videoWidth, videoHeight } = this.video;
    this.view.style.setProperty("--ratio", videoWidth / videoHeight || 1);
    this.view.style.setProperty("--widest", `${videoWidth}px`);
  }

  /** Give the faces in pixels of the video, which is larger than what was sent. */
  #inFull() {
    return this.faces.map((face) => scaled(face, this.video.videoWidth / this.size.width));
  }

  #reflect() {
    this.view.classList.toggle("mirror", this.mirror);
  }

  #frame(longest) {
    const { videoWidth, videoHeight } = this.video;
    const scale = Math.min(1, longest / Math.max(videoWidth, videoHeight));
    this.grabbed.width = Math.round(videoWidth * scale);
    this.grabbed.height = Math.round(videoHeight * scale);
    const pen = this.grabbed.getContext("2d");
    pen.drawImage(this.video, 0, 0, this.grabbed.width, this.grabbed.height);
    return this.grabbed;
  }

  #encoded(canvas, kind) {
    return new Promise((done) => { canvas.toBlob(done, kind, 0.9); });
  }

  async #savePng() {
    const size = { width: this.video.videoWidth, height: this.video.videoHeight };
    const picture = this.cover.hidden ? this.video : this.cover;
    const png = await annotated(picture, this.#inFull(), { ...size, mirror: this.mirror });
    save(png, `mien-${stamp()}.png`);
  }
}

const LOST = { code: "lost", message: "The connection to the server was lost.", hint: "Is mien serve still running?" };

/** Wait until a socket is open; keep what the server says if it takes no more clients. */
function connected(socket) {
  return new Promise((done, fail) => {
    socket.addEventListener("open", () => done(socket), { once: true });
    for (const event of ["error", "close"]) {
      socket.addEventListener(event, () => fail(new ApiError(0, LOST)), { once: true });
    }
    socket.addEventListener("message", ({ data }) => {
      const said = JSON.parse(data);
      if (said.error && !said.frame) socket.refusal = said.error;
    }, { once: true });
  });
}

/** Wait for the next answer of the server, or its refusal. */
function answered(socket) {
  return new Promise((done, fail) => {
    const over = new AbortController();
    const end = (finish, value) => { over.abort(); clearTimeout(timer); finish(value); };
    const lost = () => end(fail, new ApiError(0, socket.refusal ?? LOST));
    const timer = setTimeout(lost, PATIENCE);
    if (socket.readyState !== WebSocket.OPEN) lost();
    socket.addEventListener("close", lost, over);
    socket.addEventListener("message", ({ data }) => {
      const said = JSON.parse(data);
      if (said.error?.code === "busy" && said.frame) end(done, null);
      else if (said.error) end(fail, new ApiError(0, said.error));
      else if (said.faces) end(done, said);
    }, over);
  });
}

const stamp = () => new Date().toTimeString().slice(0, 8).replaceAll(":", "");
