/** The pieces that pages are made of. Widths are SVG attributes, so no page needs inline styles. */
import { type Level, LEVEL_FACTS } from "../../core/level.ts";
import { type Tier, TIERS } from "../../core/tiers.ts";
import { amount, percent, TIER_WORDS } from "./words.ts";

/** A tier with its probability. */
export function TierChip({ tier, confidence }: { tier: Tier | null; confidence: number | null }) {
  if (tier === null) return <span class="chip none" title="Too little data">Too early</span>;
  const { name, meaning } = TIER_WORDS[tier];
  return (
    <span class={`chip ${tier}`} title={`A lead costs ${meaning}`}>
      {name}
      {confidence !== null && <b>{percent(confidence)}</b>}
    </span>
  );
}

/** How many entities have which tier, as one bar and in words. */
export function TierBar({ counts }: { counts: Record<Tier, number> }) {
  const total = TIERS.reduce((sum, tier) => sum + counts[tier], 0);
  const starts = TIERS.map((_, index) =>
    TIERS.slice(0, index).reduce((sum, tier) => sum + counts[tier], 0)
  );
  return (
    <div class="tiers">
      <svg viewBox={`0 0 ${Math.max(total, 1)} 1`} preserveAspectRatio="none" aria-hidden="true">
        {TIERS.map((tier, index) => (
          <rect class={tier} x={starts[index]} y="0" width={counts[tier]} height="1" />
        ))}
      </svg>
      <ul>
        {TIERS.map((tier) => (
          <li class={counts[tier] === 0 ? "zero" : undefined}>
            <i class={`dot ${tier}`}></i>
            {TIER_WORDS[tier].name} <b>{counts[tier]}</b>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** Where the true cost of a lead lies, without an upper end where next to nothing is known. */
export type Range = { low: number; high: number | null };

/** A range, if there is one. */
export function rangeOf(low: number | null | undefined, high: number | null | undefined) {
  return low === null || low === undefined ? null : { low, high: high ?? null };
}

const SCALE_STEPS = 2;

/** From a quarter of the reference at 0 to four times it at 100; equal ratios are equally far. */
function place(ratio: number): number {
  const steps = Math.log2(ratio) / SCALE_STEPS;
  return Math.round(50 * (1 + Math.min(1, Math.max(-1, steps))) * 10) / 10;
}

/** A range beside the reference, the middle of the picture: left of it is cheaper. */
export function RangeBar({ range, reference, tier }: {
  range: Range;
  reference: number;
  tier: Tier | null;
}) {
  const low = place(range.low / reference);
  const high = range.high === null ? 100 : place(range.high / reference);
  return (
    <svg class="range" viewBox="0 0 100 12" preserveAspectRatio="none" aria-hidden="true">
      <line class="axis" x1="0" x2="100" y1="6" y2="6" />
      <line class="reference" x1="50" x2="50" y1="0" y2="12" />
      <rect
        class={tier ?? "none"}
        x={low}
        y="3"
        width={Math.max(high - low, 1.5)}
        height="6"
        rx="1"
      />
    </svg>
  );
}

/** A range in words: `12.30 to 19.80`. */
export function rangeWords(range: Range, currency: string): string {
  return range.high === null
    ? `over ${amount(range.low, currency)}`
    : `${amount(range.low, currency)} to ${amount(range.high, currency)}`;
}

/** The address of an entity's page. */
export function entityAddress(configId: number, level: Level, entityId: string): string {
  return `/entities/${level}/${encodeURIComponent(entityId)}?config_id=${configId}`;
}

/** The address of the table of what lies below an entity. */
export function belowAddress(configId: number, below: Level, parentId: string): string {
  return `/?config_id=${configId}&level=${below}&parent=${encodeURIComponent(parentId)}#table`;
}

/** A level's name at the start of a sentence or heading. */
export function levelTitle(level: Level): string {
  const { many } = LEVEL_FACTS[level];
  return many.charAt(0).toUpperCase() + many.slice(1);
}
