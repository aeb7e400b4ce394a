import { DurableObject } from "cloudflare:workers";
import type { VaultEnv } from "../app.ts";
import { bytesOf, SCHEMA, type StoredCard, type StoredCvc, storedCard, type TokenRow } from "./rows.ts";

/**
 * One of 256 shards of the vault's storage. It sees ciphertext only: sealing and opening happen in the worker,
 * which has the keys and no storage, while this has the storage and no keys.
 *
 * Concurrency: a Durable Object is the only writer of its database, and JavaScript between two awaits is not
 * interrupted. No method here awaits between its reads and writes of tables, so each is atomic. Cloudflare holds an answer
 * back until its writes are durable (the output gate), so a caller that got an answer may rely on it after any
 * crash. None of this is shown by a local run, which has one process and one disk.
 */
export class VaultShard extends DurableObject<VaultEnv> {
  #sql: SqlStorage;

  constructor(state: DurableObjectState, env: VaultEnv) {
    super(state, env);
    this.#sql = state.storage.sql;
    this.#sql.exec(SCHEMA);
  }

  /** Keeps a card and, apart, its CVC. A token is never overwritten: the primary key throws. */
  async store(
    token: string,
    merchant: string,
    card: StoredCard,
    cvc: StoredCvc | null,
    now: number,
  ): Promise<void> {
    // The alarm first: a crash in between leaves an alarm with nothing to do, never a CVC without an end.
    if (cvc !== null) await this.#wakeBy(cvc.expiresAt);
    this.#sql.exec(
      "INSERT INTO token VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)",
      token,
      merchant,
      card.sealed,
      card.wrappedDek,
      card.kekId,
      card.brand,
      card.bin,
      card.last4,
      card.expMonth,
      card.expYear,
      card.fingerprint,
      now,
    );
    if (cvc === null) return;
    this.#sql.exec("INSERT INTO cvc VALUES (?, ?, ?, ?, NULL)", token, cvc.sealed, cvc.keyId, cvc.expiresAt);
  }

  async #wakeBy(time: number): Promise<void> {
    const alarm = await this.ctx.storage.getAlarm();
    if (alarm === null || alarm > time) await this.ctx.storage.setAlarm(time);
  }

  /**
   * The card behind a token of this merchant, or null, and whether the egress reference (any new one if null) may
   * have its CVC. Whose token it is, is part of the question: an unknown token, a deleted one and another
   * merchant's take the same path and the same time.
   */
  find(
    token: string,
    merchant: string,
    reference: string | null,
    now: number,
  ): (StoredCard & { cvcAvailable: boolean }) | null {
    const [row] = this.#sql
      .exec<TokenRow & { cvc_available: number }>(
        `SELECT sealed, wrapped_dek, kek_id, brand, bin, last4, exp_month, exp_year, fingerprint,
           EXISTS (
             SELECT 1 FROM cvc
             WHERE cvc.token = token.id AND (reference IS NULL OR reference = ?) AND expires_at > ?
           ) AS cvc_available
         FROM token WHERE id = ? AND merchant = ? AND deleted_at IS NULL`,
        reference,
        now,
        token,
        merchant,
      )
      .toArray();
    return row === undefined ? null : { ...storedCard(row), cvcAvailable: row.cvc_available === 1 };
  }

  /**
   * The same as `find`, and promises the CVC to the reference, if nobody has it yet: who was told that it may have
   * it, gets it, also if another payment with the same card begins at the same time.
   */
  describe(token: string, merchant: string, reference: string | null, now: number) {
    if (reference !== null) this.claimCvc(token, merchant, reference, now);
    return this.find(token, merchant, reference, now);
  }

  /**
   * Binds the CVC to the first reference that asks, and gives it to that reference alone: the identical request
   * may be sent again while its outcome is unknown, another may not have it. Null if there is none to have.
   */
  claimCvc(token: string, merchant: string, reference: string, now: number) {
    const [row] = this.#sql
      .exec<{ sealed: ArrayBuffer; key_id: string }>(
        `UPDATE cvc SET reference = ?
         WHERE token = ? AND expires_at > ? AND (reference IS NULL OR reference = ?)
           AND EXISTS (SELECT 1 FROM token WHERE id = cvc.token AND merchant = ? AND deleted_at IS NULL)
         RETURNING sealed, key_id`,
        reference,
        token,
        now,
        reference,
        merchant,
      )
      .toArray();
    return row === undefined ? null : { sealed: bytesOf(row.sealed), keyId: row.key_id };
  }

  /** Deletes the CVCs of these tokens, as far as they are the merchant's. */
  forgetCvc(tokens: readonly string[], merchant: string): void {
    for (const token of tokens) {
      this.#sql.exec(
        "DELETE FROM cvc WHERE token = ? AND EXISTS (SELECT 1 FROM token WHERE id = cvc.token AND merchant = ?)",
        token,
        merchant,
      );
    }
  }

  /**
   * Erases a card: sealed number, data key, CVC and fingerprint go. The row stays, so that a deletion can be
   * shown and a token is never given out twice. False if the merchant has no such token.
   */
  remove(token: string, merchant: string, now: number): boolean {
    const removed = this.#sql.exec(
      `UPDATE token SET deleted_at = ?, sealed = x'', wrapped_dek = x'', fingerprint = ''
       WHERE id = ? AND merchant = ? AND deleted_at IS NULL RETURNING id`,
      now,
      token,
      merchant,
    );
    if (removed.toArray().length === 0) return false;
    this.#sql.exec("DELETE FROM cvc WHERE token = ?", token);
    return true;
  }

  /** Deletes expired CVCs and wakes again for the next. Runs again by itself if it fails. */
  override async alarm(): Promise<void> {
    this.#sql.exec("DELETE FROM cvc WHERE expires_at <= ?", Date.now());
    const { next } = this.#sql.exec<{ next: number | null }>("SELECT min(expires_at) AS next FROM cvc").one();
    if (next !== null) await this.#wakeBy(next);
  }
}
