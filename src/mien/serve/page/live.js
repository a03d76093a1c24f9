// Frames out, answers in: what the webcam and a video have in common. One frame is under way at a
// time, and the next is the newest there is, so answers never fall behind the picture.

import { ApiError, check, openLive } from "./api.js";
import { CHOICES } from "./compare.js";
import { chips, complain, copy, find, save } from "./dom.js";
import { annotated } from "./drawing.js";
import { Answers, Boxes } from "./faces.js";
import { liveCsv, liveLine } from "./table.js";
import { Timeline } from "./timeline.js";

const LONGER = 640; // pixels of a frame's longer side as it is sent
const PATIENCE = 15000; // milliseconds for one answer
const ROWS = 200000;

export class Live {
  #run = null;
  #settings = { occlude: [], smooth: true, image: true };

  /** moving: a camera, whose timeline moves on; taken: hears a picture to compare, and its name. */
  constructor(place, { moving, stopped, taken }) {
    place.append(copy("stage"));
    Object.assign(this, { place, moving, stopped, mirror: moving });
    this.video = find("video", place);
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
    find(".stop", place).addEventListener("click", () => this.stop());
    find(".csv", place).addEventListener("click", () => save(liveCsv(this.rows), "mien-live.csv"));
    find(".png", place).addEventListener("click", () => this.#savePng());
    find(".snap", place).addEventListener("click", async () => {
      const blob = await this.#encoded(this.#frame(Infinity), "image/png");
      taken(new File([blob], `${moving ? "webcam" : "video"}-${stamp()}.png`));
    });
  }

  /** Read the frames of this element, once it knows its size, until it is stopped. */
  async start() {
    const { videoWidth, videoHeight, duration } = this.video;
    this.view.style.setProperty("--ratio", videoWidth / videoHeight);
    this.view.style.setProperty("--widest", `${videoWidth}px`);
    const run = { answers: 0, since: performance.now(), start: performance.now() };
    this.#run = run;
    this.rows = [];
    this.faces = [];
    find(".boxes", this.place).replaceChildren();
    find(".answers", this.place).replaceChildren();
    this.boxes = new Boxes(find(".boxes", this.place));
    this.answers = new Answers(find(".answers", this.place), "No face in view.");
    const seconds = this.moving || !Number.isFinite(duration) ? 30 : duration;
    const moving = this.moving || !Number.isFinite(duration);
    this.timeline = new Timeline(find(".lanes", this.place), seconds, { moving });
    complain(this.error, null);
    try {
      await check();
      run.socket = await connected(openLive());
      this.#set({});
      while (this.#run === run) await this.#turn(run);
    } catch (error) {
      if (this.#run === run) this.#fail(error);
    } finally {
      run.socket?.close();
    }
  }

  stop() {
    if (!this.#run) return;
    this.#run = null;
    this.stopped();
  }

  fail(error) {
    this.#run?.socket?.close();
    this.#fail(error);
  }

  #fail(error) {
    this.#run = null;
    this.pace.textContent = "";
    complain(this.error, error, () => { this.start(); });
  }

  async #turn(run) {
    const seen = await newFrame(this.video);
    const time = this.moving ? (performance.now() - run.start) / 1000 : seen;
    const frame = this.#frame(LONGER);
    run.socket.send(await this.#encoded(frame, "image/jpeg"));
    const answer = await answered(run.socket);
    if (this.#run === run && answer) await this.#show(run, answer, time);
  }

  async #show(run, answer, time) {
    const { width, height } = answer;
    await this.#cover(answer);
    this.faces = answer.faces.map((face) => ({ ...face, key: face.track }));
    this.size = { width, height, mirror: this.mirror };
    this.boxes.update(this.faces, this.size);
    this.answers.update(this.faces);
    this.timeline.add(this.faces, time);
    this.rows.push(...this.faces.map((face) => liveLine(time, answer.frame, face)));
    if (this.rows.length > ROWS) this.rows.splice(0, ROWS / 10);
    run.answers += 1;
    const now = performance.now();
    if (now - run.since < 500) return;
    const perSecond = (1000 * run.answers) / (now - run.since);
    const rate = perSecond.toFixed(perSecond < 10 ? 1 : 0);
    this.pace.textContent = `${rate} a second · ${Math.round(answer.ms)} ms`;
    Object.assign(run, { answers: 0, since: now });
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
    const socket = this.#run?.socket;
    if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(this.#settings));
  }

  #look(on) {
    this.mirror = on.includes("mirror");
    this.#reflect();
    this.#set({ smooth: on.includes("smooth") });
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
    const { videoWidth: width, videoHeight: height } = this.video;
    const scale = width / (this.size?.width ?? width);
    const faces = this.faces.map((face) => ({ ...face, box_xyxy: face.box_xyxy.map((x) => x * scale) }));
    const picture = this.cover.hidden ? this.video : this.cover;
    save(await annotated(picture, faces, { width, height, mirror: this.mirror }), `mien-${stamp()}.png`);
  }
}

/** Wait for a frame that was not seen yet; give its time in the film in seconds. */
function newFrame(video) {
  return new Promise((done) => {
    if (video.requestVideoFrameCallback) video.requestVideoFrameCallback((_, { mediaTime }) => done(mediaTime));
    else requestAnimationFrame(() => done(video.currentTime));
  });
}

const LOST = { code: "lost", message: "The connection to the server was lost.", hint: "Is mien serve still running?" };

function connected(socket) {
  return new Promise((done, fail) => {
    socket.addEventListener("open", () => done(socket), { once: true });
    socket.addEventListener("error", () => fail(new ApiError(0, LOST)), { once: true });
  });
}

/** Wait for the next answer of the server, or its refusal. */
function answered(socket) {
  return new Promise((done, fail) => {
    const over = new AbortController();
    const end = (finish, value) => { over.abort(); clearTimeout(timer); finish(value); };
    const lost = () => end(fail, new ApiError(0, LOST));
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
