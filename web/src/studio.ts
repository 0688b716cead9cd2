import { Client } from './api/client.ts';
import { Session } from './api/session.ts';
import { el } from './dom.ts';
import { switchLanguage, texts } from './i18n/language.ts';
import { isActive, newPicture, type Picture } from './picture.ts';
import { PyramidCache } from './pixels/cache.ts';
import { Pixels } from './pixels/pool.ts';
import { Queue } from './queue.ts';
import { History, type Past } from './save/history.ts';
import { offer, resultFile, type SaveFormat } from './save/result.ts';
import { Stage } from './stage.ts';
import { askForKey, askForLink, showCode, showHistory } from './view/dialogs.ts';
import { header } from './view/header.ts';
import { emptyState, fileInput, type IntakeTargets, listenForPictures } from './view/intake.ts';
import { Panel } from './view/panel.ts';
import { settingsForm, storedSettings } from './view/settings.ts';
import { Strip } from './view/strip.ts';
import { toast } from './view/toast.ts';

/** The whole page: builds its parts once per language and keeps them in step with the queue. */
export class Studio {
  readonly #root: HTMLElement;
  readonly #session = new Session();
  readonly #client = new Client(this.#session);
  readonly #pixels = new Pixels();
  readonly #history = new History();
  readonly #input: HTMLInputElement;
  readonly #intake: IntakeTargets;
  readonly #queue: Queue;
  readonly #cache = new PyramidCache(this.#pixels);
  #stage!: Stage;
  #strip!: Strip;
  #panel!: Panel;
  #models: readonly string[] = [];
  #settings = storedSettings();
  #selected: Picture | null = null;
  #opened = false;

  constructor(root: HTMLElement) {
    this.#root = root;
    this.#intake = {
      take: (sources) => this.#add(sources.map((source) => newPicture(source, this.#settings))),
      complain: (message) => toast(message),
    };
    this.#input = fileInput(texts, this.#intake);
    this.#queue = new Queue(this.#client, {
      changed: () => this.#render(),
      finished: (picture) => this.#finished(picture),
      keyRefused: () => void this.#prove(),
      offline: (isOffline) => document.body.classList.toggle('offline', isOffline),
    });
    this.#queue.pause(); // until the session says how calls are proved
    listenForPictures(texts, this.#intake);
    this.#build();
  }

  /** Learns from the server how to prove itself and what it offers. */
  async open(): Promise<void> {
    await this.#session.open().catch(() => undefined); // no answer: the queue says so when it matters
    this.#opened = true;
    if (this.#session.needsKey) this.#askForKey(false);
    else {
      this.#queue.resume();
      await this.#loadModels();
    }
    this.#build();
  }

  async #loadModels(): Promise<void> {
    this.#models = await this.#client.models().catch(() => []);
  }

  #build(): void {
    const words = texts();
    document.title = `Mingxi 明晰 · ${words.tagline}`;
    const has = this.#queue.pictures.length > 0;
    this.#stage = new Stage(words, this.#pixels, this.#cache);
    this.#strip = new Strip(words, {
      select: (picture) => this.#select(picture),
      cancel: (picture) => this.#queue.cancel(picture),
      remove: (picture) => this.#remove([picture]),
      cancelAll: () =>
        [...this.#queue.pictures].forEach((picture) => {
          this.#queue.cancel(picture);
        }),
      clear: () => this.#remove([...this.#queue.pictures]),
      downloadAll: () => this.#downloadAll(),
    });
    this.#panel = new Panel(words, {
      cancel: (picture) => this.#queue.cancel(picture),
      retry: (picture) => this.#retry(picture),
      remove: (picture) => this.#remove([picture]),
      strength: (picture, value) => {
        picture.strength = value;
        this.#stage.strength = value;
      },
      keepFace: (picture, index, kept) => this.#keepFace(picture, index, kept),
      download: (picture, format) => this.#download(picture, format),
      code: (picture) => showCode(texts(), picture),
    });
    const settings = settingsForm(words, this.#models, this.#settings, {
      changed: (value) => {
        this.#settings = value;
      },
      again: () => {
        if (this.#selected !== null && !isActive(this.#selected)) this.#retry(this.#selected);
      },
    });
    this.#root.classList.toggle('has-pictures', has);
    const focused = nameOfFocused(this.#root);
    this.#root.replaceChildren(
      header(
        words,
        { add: has, key: this.#session.usesKey },
        {
          add: () => this.#input.click(),
          link: () => askForLink(texts(), this.#intake),
          history: () => void this.#showHistory(),
          key: () => this.#askForKey(false),
          language: () => {
            switchLanguage();
            this.#build();
            this.#root.querySelector<HTMLElement>('.language')?.focus();
          },
        },
      ),
      el('p', { class: 'banner', role: 'alert' }, words.offline),
      has
        ? el(
            'main',
            { class: 'main' },
            this.#stage.element,
            el('aside', { class: 'panel' }, this.#panel.element, settings),
            this.#strip.element,
          )
        : el('main', { class: 'main main-empty' }, emptyState(words, this.#session.limits, this.#input, this.#intake)),
      this.#input,
      el('div', { class: 'drop-veil', 'aria-hidden': 'true' }, el('p', {}, words.empty.drop)),
    );
    this.#render();
    // What the server says may come when somebody is on the way by Tab: the same button stays the focused one.
    if (focused !== '') [...this.#root.querySelectorAll<HTMLElement>('button, input')].find((node) => nameOf(node) === focused)?.focus();
  }

  #add(pictures: readonly Picture[]): void {
    const first = this.#queue.pictures.length === 0;
    if (this.#opened && this.#session.needsKey) this.#askForKey(false);
    this.#queue.add(pictures);
    if (first || this.#selected === null || pictures.length === 1) this.#selected = pictures[0] ?? null;
    if (first) this.#build();
    for (const picture of pictures) void this.#thumbnail(picture);
    this.#render();
    if (this.#selected !== null) this.#strip.reveal(this.#selected);
  }

  #remove(pictures: readonly Picture[]): void {
    const index = this.#selected === null ? 0 : this.#queue.pictures.indexOf(this.#selected);
    for (const picture of pictures) this.#queue.remove(picture);
    if (this.#selected !== null && !this.#queue.pictures.includes(this.#selected))
      this.#selected = this.#queue.pictures[Math.min(index, this.#queue.pictures.length - 1)] ?? null;
    if (this.#queue.pictures.length === 0) this.#build();
    this.#render();
  }

  #select(picture: Picture): void {
    this.#selected = picture;
    this.#render();
  }

  #retry(picture: Picture): void {
    picture.settings = this.#settings;
    this.#queue.retry(picture);
  }

  /** The server no longer knows us. A restarted one gives its own page a new token; else a key is needed. */
  async #prove(): Promise<void> {
    const before = this.#session.token;
    await this.#session.open().catch(() => undefined);
    if (this.#session.usesKey || this.#session.token === before) this.#askForKey(true);
    else this.#queue.resume();
  }

  #askForKey(wrong: boolean): void {
    if (wrong) this.#session.forgetKey();
    askForKey(texts(), wrong, (key, secret, onDevice) => {
      this.#session.useKey(key, secret, onDevice);
      this.#queue.resume();
      void this.#loadModels();
    });
  }

  async #finished(picture: Picture): Promise<void> {
    if (picture.source.kind === 'link' || picture.thumbnail === null) await this.#thumbnail(picture);
    const { before, after, job } = picture;
    if (before === null || after === null || job === null) return;
    const thumbnail = await this.#pixels.do('thumbnail', { blob: after, side: 160 }).catch(() => after);
    await this.#history
      .add({ name: picture.name, time: Date.now(), before, after, thumbnail, job, settings: picture.settings })
      .catch(() => undefined); // no room: no history
  }

  async #thumbnail(picture: Picture): Promise<void> {
    for (const blob of [picture.before, picture.after]) {
      if (blob === null) continue;
      const small = await this.#pixels.do('thumbnail', { blob, side: 160 }).catch(() => null);
      if (small === null) continue;
      picture.thumbnail = URL.createObjectURL(small);
      this.#render();
      return;
    }
  }

  #render(): void {
    if (this.#queue.pictures.length === 0) return;
    this.#strip.render(this.#queue.pictures, this.#selected);
    this.#panel.render(this.#selected);
    this.#stage.show(this.#selected);
  }

  #keepFace(picture: Picture, index: number, kept: boolean): void {
    if (kept) picture.keptFaces.add(index);
    else picture.keptFaces.delete(index);
    this.#render();
  }

  async #download(picture: Picture, format: SaveFormat): Promise<void> {
    const file = await resultFile(picture, format, this.#pixels).catch(() => null);
    if (file === null) toast(texts().errors.other ?? '');
    else offer(file.name, file.blob);
  }

  async #downloadAll(): Promise<void> {
    this.#strip.packing = true;
    this.#render();
    const done = this.#queue.pictures.filter(({ status }) => status === 'done');
    const entries = [];
    for (const picture of done) {
      const file = await resultFile(picture, 'same', this.#pixels).catch(() => null);
      if (file !== null) entries.push(file);
    }
    offer('mingxi.zip', await this.#pixels.do('zip', { entries }));
    this.#strip.packing = false;
    this.#render();
  }

  #showHistory(): Promise<void> {
    return showHistory(
      texts(),
      this.#history.list(),
      (past) => this.#reopen(past),
      () => void this.#history.clear(),
    );
  }

  #reopen(past: Past): void {
    const picture = newPicture({ kind: 'file', blob: past.before, name: past.name }, past.settings);
    Object.assign(picture, { status: 'done', progress: 1, job: past.job, jobId: past.job.id, after: past.after });
    this.#add([picture]);
  }

  /** Whether leaving now would lose work. */
  get busy(): boolean {
    return this.#queue.pictures.some(isActive);
  }
}

const nameOf = (node: Element): string => node.getAttribute('aria-label') ?? node.textContent ?? '';

/** Of the element in it that has the focus; empty where none has. */
function nameOfFocused(root: HTMLElement): string {
  const node = document.activeElement;
  return node !== null && root.contains(node) ? nameOf(node) : '';
}
