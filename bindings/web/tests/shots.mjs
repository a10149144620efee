// `node shots.mjs FOLDER`: pictures of the page for six models, for a person to look at; `docs/images` holds them.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { corpus, launch, open, visit } from "./page.mjs";

const SHOTS = [
  ["resnet", "zoo/resnet_bottleneck.model", "light"],
  ["inception", "zoo/inception_v1.model", "light"],
  ["attention", "zoo/s2s_attention_model.model", "light"],
  ["tagger", "zoo/slu_tagger_202.model", "dark"],
  ["cntk1", "v1/fastrcnn_roipool.model", "light"],
  ["refused", "hostile/udf_native_path.model", "dark"],
];

const folder = process.argv[2] ?? ".";
mkdirSync(folder, { recursive: true });
const browser = await launch();
for (const [name, model, colorScheme] of SHOTS) {
  const { page, context } = await visit(browser, { colorScheme, viewport: { width: 1280, height: 1200 } });
  await open(page, corpus(model));
  await page.waitForFunction(() => document.getElementById("message").textContent);
  await page.screenshot({ path: join(folder, `page-${name}.png`) });
  await context.close();
}
await browser.close();
