/** Bits of a buffer from the highest of the first byte on. Past the end they are 0; `isPastEnd` tells. */
export class BitReader {
  readonly #bytes: Uint8Array;
  #at: number;
  #held = 0;
  #count = 0;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.#at = at;
  }

  /** The next `count` bits, at most 24, which stay. */
  peek(count: number): number {
    while (this.#count < count) {
      this.#held = (this.#held << 8) | (this.#bytes[this.#at] ?? 0);
      this.#at += 1;
      this.#count += 8;
    }
    return (this.#held >>> (this.#count - count)) & ((1 << count) - 1);
  }

  /** After `peek` of as many. */
  skip(count: number): void {
    this.#count -= count;
  }

  read(count: number): number {
    const bits = this.peek(count);
    this.#count -= count;
    return bits;
  }

  /** 32 bits, unsigned. */
  readWord(): number {
    return this.read(16) * 0x1_0000 + this.read(16);
  }

  /** To the beginning of the next byte. */
  align(): void {
    this.#count -= this.#count % 8;
  }

  /** The first byte of which no bit was read. */
  get byteOffset(): number {
    return this.#at - Math.floor(this.#count / 8);
  }

  /** How many bits were read of the byte before `byteOffset`; 0 where that is used up. */
  get bitOffset(): number {
    return (8 - (this.#count % 8)) % 8;
  }

  get isPastEnd(): boolean {
    return this.byteOffset > this.#bytes.length;
  }
}
