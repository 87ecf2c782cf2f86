import type { ClassifierRule } from '../classification.js';
import { list } from './list.js';

/**
 * Ways to reach or find a person. `email_id` as text is taken for the address itself, as Indian schemas mean it; as a
 * number or a uuid it is a foreign key. City, street and postcode are parts of an address and as such personal.
 */
export const CONTACT_RULES: readonly ClassifierRule[] = [
  {
    id: 'email',
    classification: 'email',
    category: 'pii',
    sensitivity: 'medium',
    phrases: list(`
      email, e mail, mail address, ^mail$, work mail, personal mail, contact mail, private mail,
      business mail, mail adresse, mail 1, mail 2, courriel, adresse mail, correo,
      correo electronico, posta elettronica, endereco eletronico, emailadres, mailadres, emails,
      reply to, ^mailto$`),
    comment: list(`
      email address, e mail address, email of, e mail adresse, email adresse, adresse email,
      correo electronico, indirizzo email, emailadres`),
    forbids: list(`
      @aspect, body, header, footer, text, html, content, message, marketing, campaign, list,
      server, host, port, queue, frequency, language, client, format, name, link, url`),
  },
  {
    id: 'email_id_text',
    classification: 'email',
    category: 'pii',
    sensitivity: 'medium',
    phrases: ['email id$', 'mail id$', 'e mail id$'],
    forbids: ['template', 'message', 'campaign', 'external', 'thread', 'provider'],
  },
  {
    id: 'message_address',
    classification: 'email',
    category: 'pii',
    sensitivity: 'medium',
    phrases: list(`
      from address$, to address$, sender address$, ^address$, ^to address$, ^from address$,
      ^cc address$, ^bcc address$, ^to$, ^cc$, ^bcc$, ^from$, ^recipient$, return path,
      envelope from, envelope to`),
    dataset: list(`
      email, mail, message, mailing, outbox, inbox, ticket, conversation`),
  },
  {
    id: 'phone',
    classification: 'phone',
    category: 'pii',
    sensitivity: 'medium',
    phrases: list(`
      phone, telf, telephone, telefon, telefono, telefone, telefoon, mobile number, mobile$,
      ^mobile, mobile phone, cell phone, ^cell$, cell number, cellphone, phone cell, fax,
      fax number, handy, handy number, mobil number, ^mobil$, mobil telefon, rufnummer,
      telefon number, msisdn, whatsapp, portable$, telephone portable, movil, celular, cellulare,
      telemovel, gsm, mobiel, home number, office number, work number, contact number,
      sms number, caller number, called number, landline, tlf, tlfno, fono`),
    comment: list(`
      phone number, telephone number, mobile number, cell number, telefonnummer, handynummer,
      numero de telephone, numero de telefono, numero di telefono, telefoonnummer, fax number`),
    types: ['text', 'integer', 'bigint', 'numeric', 'double'],
    forbids: list(`
      @aspect, ext, extension, country, code, prefix, area, model, os, brand, carrier, app,
      operator, support, plan, name, device, url, browser, platform, version, image, theme,
      color`),
  },
  {
    id: 'postal_address',
    classification: 'postal_address',
    category: 'pii',
    sensitivity: 'medium',
    phrases: list(`
      address, stras, pstlz, ort 01, street, street name, house number, building number,
      apartment, apt number, ^apt$, suite number, po box, zip, zip code, postal code, post code,
      postal$, ^pin code$, pincode, city, town, village, billing state, shipping state,
      mailing state, home state, mailing$, residence$, domicile, neighborhood, neighbourhood,
      strasse, haus number, plz, post leitzahl, postleitzahl, ^ort$, wohn ort, wohnort,
      anschrift, adresse, liefer adresse, rechnungs adresse, ortsteil, stadt$, rue$, ^rue, ville,
      code postal, direccion, domicilio, calle, ciudad, codigo postal, poblacion, cod postal,
      colonia, indirizzo, ^via$, citta, ^cap$, codice postale, comune$, civico, endereco, ^rua,
      logradouro, bairro, ^cep$, cidade, morada, straat, huis number, huisnummer, woon plaats,
      woonplaats, plaats$, adres, toevoeging, address line`),
    comment: list(`
      postal address, street address, home address, mailing address, shipping address,
      billing address, zip code, postal code, house number, postanschrift, adresse postale,
      huisnummer, hausnummer`),
    types: ['text', 'integer', 'bigint'],
    datasetForbids: list(
      `wallet, server, blockchain, city, network, email, mail, message, inbox, outbox, ticket, conversation`,
    ),
    forbids: list(`
      @aspect, @machine_address, file, archive, url, population, block, hash, space, time, tax,
      distance, view, compression`),
  },
  {
    id: 'address_part',
    classification: 'postal_address',
    category: 'pii',
    sensitivity: 'medium',
    phrases: list(`
      district, county, state, province, ^line 1$, ^line 2$, ^line 3$, ^line$, number, suite,
      floor, bundesland, provincia, comarca, estado, numero, complemento, complement`),
    dataset: ['address', 'adresse', 'direccion', 'endereco', 'indirizzo', 'adres'],
    datasetForbids: ['ip', 'email', 'mac'],
    forbids: ['@aspect', 'phone', 'vat', 'tax', 'order', 'customer', 'code'],
  },
  {
    id: 'ip_address',
    classification: 'ip_address',
    category: 'pii',
    sensitivity: 'medium',
    phrases: list(`
      ip, ip address, ip adresse, adresse ip, direccion ip, indirizzo ip, endereco ip,
      remote address, client address, x forwarded for, host address, remote host`),
    comment: ['ip address', 'client ip', 'ip adresse', 'adresse ip'],
    typesAlone: ['inet', 'cidr'],
    types: ['text', 'bigint', 'inet', 'cidr'],
    forbids: list(`
      timezone, zone, latlon, lat, @aspect, country, city, region, protocol, intellectual`),
  },
  {
    id: 'geolocation',
    classification: 'geolocation',
    category: 'pii',
    sensitivity: 'medium',
    phrases: list(`
      latlon, lat lon, lon lat, latitude, longitude, lat, lng, ^lon$, lon$, ^long$, latlng,
      lat lng, lat long, gps, coordinate, coord, geo point, geopoint, geo location, geolocation,
      geohash, geo hash, last location, current location, breitengrad, laengengrad, langengrad,
      latitud, longitud, latitudine, longitudine, breedtegraad, lengtegraad, plus code,
      what 3 word`),
    comment: ['latitude', 'longitude', 'gps coordinates', 'geolocation'],
    typesAlone: ['geometry'],
    types: ['text', 'number', 'geometry'],
    forbids: ['@aspect', 'accuracy', 'zoom'],
  },
];
