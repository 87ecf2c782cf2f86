import type { ClassifierRule } from '../classification.js';
import { list } from './list.js';

/**
 * Free text may hold anything a person types, so notes, comments, messages and bodies start at `medium`: the shipped
 * packs make `low` readable, and nobody has looked yet. A `description` is free text too, except in a dataset that
 * describes things for everybody (products, categories, films, roles, plans): there it is the daily case of a query, and
 * `low`. Short columns (`char`) and enumerations are not free text.
 */
export const TEXT_RULES: readonly ClassifierRule[] = [
  {
    id: 'free_text',
    classification: 'generic',
    category: 'internal',
    sensitivity: 'medium',
    phrases: list(`
      note, comment, message, remark, feedback, body, bio, biography, about, memo, transcript,
      conversation, review text, review body, review comment, cover letter, letter, prompt,
      completion, free text, observation, text$, content$, reason$, complaint, summary$,
      narrative, justification, instruction, answer$, response$, question$, detail$, explanation,
      statement$, log$, payload, raw data, request body, response body, query$, stack trace,
      error message, user agent, signature$, bemerkung, kommentar, notiz, nachricht, anmerkung,
      hinweis, begruendung, commentaire, remarque, comentario, observacion, nota, mensaje,
      commento, osservazione, messaggio, observacao, mensagem, opmerking, opmerkingen, notitie,
      bericht, subject$, betreff, extra data, custom$`),
    types: ['text', 'varchar'],
    datasetForbids: ['translation', 'i18n', 'locale'],
    forbids: ['@aspect', '@pointer', 'code', 'color', 'language', 'template'],
  },
  {
    id: 'free_text_description',
    classification: 'generic',
    category: 'internal',
    sensitivity: 'medium',
    phrases: list(`
      description, beschreibung, descripcion, descrizione, descricao, omschrijving`),
    types: ['text', 'varchar'],
    datasetForbids: ['@catalogue'],
    forbids: list(`
      @aspect, @pointer, meta, seo, product, item, category, short, role, plan, job`),
  },
];
