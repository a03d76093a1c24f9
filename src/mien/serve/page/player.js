// Play, pause and seek below a film, so that its picture stays free for boxes.

import { element } from "./dom.js";

const STEPS = 1000;

export function controls(place, video) {
  const button = element("button", { type: "button" });
  const slider = element("input", { type: "range", min: 0, max: STEPS, "aria-label": "Place in the video" });
  const time = element("span", { class: "soft" });
  button.addEventListener("click", () => (video.paused ? video.play() : video.pause()));
  slider.addEventListener("input", () => {
    if (Number.isFinite(video.duration)) video.currentTime = (slider.value / STEPS) * video.duration;
  });
  for (const event of ["play", "pause", "ended"]) {
    video.addEventListener(event, () => { button.textContent = video.paused ? "Play" : "Pause"; });
  }
  video.addEventListener("timeupdate", () => {
    slider.value = (video.currentTime / video.duration) * STEPS || 0;
    slider.setAttribute("aria-valuetext", clock(video.currentTime));
    time.textContent = `${clock(video.currentTime)} / ${clock(video.duration)}`;
  });
  place.append(button, slider, time);
}

/** Write seconds as minutes and seconds. */
export function clock(seconds) {
  if (!Number.isFinite(seconds)) return "?";
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
