import type { ClassifierRule } from '../classification.js';
import { list } from './list.js';

/**
 * Money. What a named person earns, owns or is thought worth of credit is `high`: it is nearly always kept even from
 * colleagues. Sums, balances and budgets are `medium`. The price and cost of things in a catalogue are `low`, so that a
 * price list stays readable. A bank account and a payment card are `high`.
 */
export const MONEY_RULES: readonly ClassifierRule[] = [
  {
    id: 'payment_card',
    classification: 'payment_card',
    category: 'pci',
    sensitivity: 'high',
    phrases: list(`
      card number, card nbr, cardnumber, credit card, debit card, payment card number, cc number,
      cc last 4, cc last four, cc expiry, cc cvv, cc token, cc$, ^ccn, card last 4,
      card last four, ^last 4$, ^last four$, card last digit, card first 6, card bin, ^pan$,
      masked pan, pan masked, pan hash, primary account number, cvv, cvc, cvn, csc$,
      card security code, card verification, card expiry, card exp, ^expiry month$,
      ^expiry year$, expiry date month, expiry date year, card expiry date, expiry month year,
      card token, card fingerprint, track data, track 1, track 2, card data, card cvv,
      kredit karten, kredit karte, karten number, carte bancaire, number carte, carte de credit,
      numero carte, tarjeta, number tarjeta, tarjeta credito, carta credito, carta di credito,
      number carta, cartao, cartao credito, number cartao, creditcard, kredietkaart,
      kaart number, kaartnummer`),
    comment: list(`
      credit card, card number, cvv, cvc, kreditkarte, carte bancaire, tarjeta de credito,
      carta di credito, cartao de credito`),
    types: ['text', 'number', 'date'],
    forbids: list(`
      owner, id, uuid, type, tipo, brand, status, holder, name, enabled, has, is, count, network,
      identity, voter, membership, member, loyalty, library, sim, green, business, ration,
      report, issuer, color, image, fee, limit, billing, address, email, phone, country, url,
      ssn, amount, total, balance, accepted, at, created, updated, required, gift, provider,
      currency`),
  },
  {
    id: 'card_detail',
    classification: 'payment_card',
    category: 'pci',
    sensitivity: 'high',
    phrases: list(`
      expiry date, ^expiry$, last 4, last four, ^number$, ^bin$, expiry month, expiry year, ^cc,
      ^token$, security code, valid thru, valid until`),
    dataset: ['card', 'creditcard', 'payment', 'tarjeta', 'karte', 'atm'],
    types: ['text', 'number', 'date'],
    forbids: list(`
      id, type, status, owner, name, ssn, grant, session, link, at`),
  },
  {
    id: 'bank_account',
    classification: 'bank_account',
    category: 'financial',
    sensitivity: 'high',
    phrases: list(`
      bank ac, ac number, fund account, savings account number, bankn$, bankl$, bank code number,
      iban, bic, swift, swift code, account number, account num, accountnumber, bank account,
      bank acct, routing number, routing, aba number, sort code, sortcode, ifsc, bsb$,
      bsb number, clabe, transit number, nuban, beneficiary account, payee account,
      debit account, credit account, from account$, to account$, counterparty account,
      konto number, konto nr, kontonummer, bank leitzahl, ^blz, bankkonto, bankverbindung,
      bank verbindung, sepa mandate, ^rib$, rib$, cle rib, number compte, compte bancaire,
      cuenta bancaria, number cuenta, cuenta corriente, conto corrente, conto bancario,
      number conto, coordinate bancarie, conta corrente, conta bancaria, number conta, chave pix,
      pix key, rekening number, rekeningnummer, bankrekening, bank rekening, upi id, ^vpa$,
      dd account, direct debit account, crypto wallet`),
    comment: list(`
      iban, bank account, account number of, routing number, swift code, kontonummer,
      bankverbindung, compte bancaire, cuenta bancaria, conto corrente, conta bancaria,
      rekeningnummer`),
    types: ['text', 'number'],
    forbids: list(`
      type, typ, tipo, status, name, holder, owner, balance, uuid, verified, has, is, count, at,
      default, currency, country, opened, closed, limit, email, date, required, enabled, fk,
      shipping, amount, fee`),
  },
  {
    id: 'number_of_account',
    classification: 'bank_account',
    category: 'financial',
    sensitivity: 'high',
    phrases: list(`
      ^number$, ^account$, ^number account$, ^konto$, ^compte$, ^cuenta$, ^acc number$`),
    dataset: list(`
      rib, bank, iban, payout, konto, directdebit, debit`),
    types: ['text', 'number'],
  },
  {
    id: 'personal_income',
    classification: 'amount',
    category: 'financial',
    sensitivity: 'high',
    phrases: list(`
      ^ctc$, cost to company, salary, wage, income, compensation, gross pay, net pay, base pay,
      pay rate, hourly rate, daily rate, day rate, overtime pay, bonus, commission amount,
      severance, earning, net worth, networth, credit limit, payroll amount, take home, pension,
      gehalt, lohn, einkommen, verdienst, brutto, netto, salaire, revenu, remuneration, salario,
      sueldo, ingreso, nomina, stipendio, reddito, retribuzione, remuneracao, renda, ordenado,
      salaris, inkomen, bruto, stock option, tax withheld, deduction`),
    comment: list(`
      salary, annual income, gehalt, salaire, salario, stipendio, salaris`),
    types: ['number', 'text'],
    forbids: list(`
      id, uuid, code, grd, grade, band, currency, component, type, date, eligible, has, is,
      count, status, at, day, frequency, name, point, level, percent, pct, period, source, range,
      verified, review, reason, note, description`),
  },
  {
    id: 'credit_standing',
    classification: 'generic',
    category: 'financial',
    sensitivity: 'high',
    phrases: list(`
      credit score, credit rating, fico, schufa, bonitaet, bonitat, scoring credito, debt ratio,
      dti ratio, bankruptcy`),
    types: ['any'],
    forbids: ['id', 'at'],
  },
  {
    id: 'amount',
    classification: 'amount',
    category: 'financial',
    sensitivity: 'medium',
    phrases: list(`
      ^money$, waived, amount in home currency, amount in currency, sum insured, sum assured,
      insured sum, insured value, toll, fare, rent$, ^tva$, ^iva$, ^mwst$, ^btw$, vat amount,
      sale ytd, ytd$, payer coverage, coverage amount, amount, total$, ^total, subtotal,
      sub total, grand total, total price, total cost, total tax, line total, balance, revenue,
      turnover, budget, fee, tax$, ^tax, discount$, refund, charge, charged, payment$, paid$,
      principal, debit$, ^credit$, deposit, withdrawal, spent, spend, expense, expenditure,
      profit, margin, payout, mrr, ^arr$, ^ltv$, lifetime value, freight, premium$, copay,
      deductible, overdraft, overdraft limit, daily limit, spending limit, transaction limit,
      estimated value, collateral value, contract value, deal value, order value, asset value,
      market value, debt, shipping cost, commission$, tip$, donation, repaid, outstanding,
      interest paid, interest charged, credit amount, betrag, summe, saldo, umsatz, gebuehr,
      gebuhr, rabatt, guthaben, zahlung, montant, solde, frais, importe, monto, saldo$, coste,
      gasto, descuento, importo, totale, sconto, spesa, valor total, valor$, quantia, desconto,
      bedrag, totaal, korting, kosten, omzet, tegoed`),
    comment: ['amount in', 'account balance'],
    typesAlone: ['money'],
    types: ['number'],
    forbids: ['@not_money', 'applies', 'payee', 'repayment', 'pct', 'exempt'],
  },
  {
    id: 'price',
    classification: 'amount',
    category: 'financial',
    sensitivity: 'low',
    phrases: list(`
      room rate, night rate, nightly rate, retail price, extended price, price, compare at price,
      cost, list price, unit price, unit cost, cost price, msrp, rrp, rental rate, price cent,
      preis, einzelpreis, stueckpreis, kosten, prix, prix unitaire, cout, precio, costo, prezzo,
      preco, custo, prijs, tarief, tarif, cost usd`),
    types: ['number'],
    forbids: ['@not_money'],
  },
];
