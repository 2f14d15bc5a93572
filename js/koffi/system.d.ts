/** Settings, and what watches file descriptors: parts of `index.d.ts`. */

/** Settings; sizes in bytes. To be set before the first library is loaded. */
export interface Config {
  /** Stack of synchronous calls: 64 KiB to 16 MiB. */
  sync_stack_size: number;
  /** Memory for arguments of synchronous calls: 0 to 16 MiB. */
  sync_heap_size: number;
  /** Stack of an asynchronous call: 64 KiB to 16 MiB. */
  async_stack_size: number;
  /** Memory for arguments of an asynchronous call: 0 to 16 MiB. */
  async_heap_size: number;
  /** Memories that are kept for asynchronous calls: 0 to 32. */
  resident_async_pools: number;
  /** How many asynchronous calls run at a time; further ones wait: up to 4096. */
  max_async_calls: number;
  /** The largest type: 32 bytes to 512 MiB. */
  max_type_size: number;
}

/** What a descriptor is ready for. */
export interface PollEvents {
  readable: boolean;
  writable: boolean;
  disconnect: boolean;
}
/** `status` is 0, or a negative error code of the event loop. */
export type PollCallback = (status: number, events: PollEvents) => void;

/** Watches one descriptor; made by `node.poll`. */
export declare class PollHandle {
  private constructor();
  /** Watches, for readability by default. */
  start(callback: PollCallback): void;
  start(options: Partial<PollEvents>, callback: PollCallback): void;
  /** Stops watching; can be started again. */
  stop(): void;
  /** Ends it for good. */
  close(): void;
  /** The same, for `using`. */
  [Symbol.dispose](): void;
  /** Lets the process end meanwhile. */
  unref(): void;
  ref(): void;
}
