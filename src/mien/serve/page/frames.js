// The frames that a video shows: always the newest, and none twice.

export class Frames {
  #newest = null;
  #taken = null;
  #wake = () => {};

  constructor(video) {
    this.video = video;
    this.#follow();
  }

  /** Wait for a frame that was not taken yet; give its time in seconds. */
  async next() {
    if (this.#newest === this.#taken) await new Promise((done) => { this.#wake = done; });
    this.#taken = this.#newest;
    return this.#taken;
  }

  /** Let the frame that is shown be taken once more, as when it is to be read in another way. */
  again() {
    this.#taken = null;
    if (this.#newest !== null) this.#wake();
  }

  #follow() {
    const { video } = this;
    const seen = (_, { mediaTime } = { mediaTime: video.currentTime }) => {
      if (mediaTime !== this.#newest) {
        this.#newest = mediaTime;
        this.#wake();
      }
      this.#follow();
    };
    if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(seen);
    else requestAnimationFrame(() => seen());
  }
}
