import type { ClassifierRule } from '../classification.js';
import { list } from './list.js';

/**
 * People: names, dates of birth, official numbers, and what else is said about a person. A date of birth is `medium`: on
 * its own it names nobody, the shipped packs mask it in full at that level, and `high` would ask for an approval to see
 * the mask. Numbers that a state or an insurer gives out are `high`. A username is a person's identifier and no name.
 */
export const PERSON_RULES: readonly ClassifierRule[] = [
  {
    id: 'person_name',
    classification: 'person_name',
    category: 'pii',
    sensitivity: 'medium',
    phrases: list(`
      first name, last name, middle name, given name, family name, maiden name, birth name,
      nick name, nickname, surname, forename, firstname, lastname, legal name, preferred name,
      former name, christian name, middle initial, initial$, maiden$, first last name,
      name on card, full legal name, vorname, nachname, familienname, rufname, geburts name,
      zuname, prenom, nom de famille, nom complet, nom famille, nom usage, nom naissance,
      patronyme, apellido, nombre completo, nombre de pila, primer nombre, segundo nombre,
      nombre y apellido, cognome, nome completo, nome e cognome, nome proprio, sobrenome,
      nome social, voornaam, achternaam, tussenvoegsel, roepnaam, voorletter, meisjesnaam`),
    comment: list(`
      first name, last name, family name, given name, maiden name, full name of person, vorname,
      nachname, prenom, apellido, cognome, sobrenome, voornaam, achternaam, person s name,
      customer name, name of customer, patient name, name of patient, employee name,
      name of employee`),
    types: ['text'],
    forbids: ['@aspect', '@pointer', 'code'],
  },
  {
    id: 'full_name',
    classification: 'person_name',
    category: 'pii',
    sensitivity: 'medium',
    phrases: list(`
      full name, fullname, display name, real name, name full, ^naam$, volledige naam`),
    datasetForbids: ['@thing', '@catalogue'],
    forbids: ['@aspect', '@thing', '@pointer'],
  },
  {
    id: 'name_of_person',
    classification: 'person_name',
    category: 'pii',
    sensitivity: 'medium',
    phrases: list(`
      @person name, @person full name, name of @person, @person naam, nom @person,
      nom du @person, nom de @person, nombre @person, nombre del @person, nombre de @person,
      nome @person, nome do @person, nome del @person, next of kin name, naam @person,
      naam van @person, medecin traitant, ^sold to$, primary physician, attending physician,
      attending doctor, treating doctor, referring physician, primary doctor, family doctor,
      hausarzt, medico curante`),
    forbids: ['@aspect', '@thing', '@pointer'],
  },
  {
    id: 'name_in_people',
    classification: 'person_name',
    category: 'pii',
    sensitivity: 'medium',
    phrases: list(`
      name$, ^name, ^first$, ^last$, nom$, ^nombre, ^nome, naam$`),
    dataset: ['@people'],
    datasetForbids: ['@thing'],
    forbids: list(`
      @aspect, @thing, @pointer, user, login, nice, pet`),
  },
  {
    id: 'username',
    classification: 'generic',
    category: 'pii',
    sensitivity: 'medium',
    phrases: list(`
      user name, username, ^login$, login id, login name, user login, user nicename, screen name,
      ^handle$, user handle, benutzer name, nom utilisateur, nombre usuario, nome utente,
      nome usuario, gebruikersnaam, identifiant, nutzername, openid, ldap sid`),
    forbids: list(`
      count, at, is, has, type, policy, required, enabled`),
  },
  {
    id: 'date_of_birth',
    classification: 'date_of_birth',
    category: 'pii',
    sensitivity: 'medium',
    phrases: list(`
      date of birth, birth date, date birth, birthday, birth day, birth year, year of birth,
      birth month, ^birth$, birth$, ^born$, born on, born at, born date, date born,
      geburts datum, geburtsdatum, geburtstag, geburts tag, geburts jahr, geb datum, gebdat,
      date naissance, date de naissance, annee naissance, ne le, fecha nacimiento,
      fecha de nacimiento, fecha nac, fec nac, data nascita, data di nascita, anno nascita,
      data nascimento, data de nascimento, dt nascimento, date nascimento, geboorte datum,
      geboortedatum, geboortejaar, geb dat, dtnasc, nascimento$, nacimiento$, nascita$,
      cumpleanos, aniversario`),
    comment: list(`
      date of birth, birth date, birthday, geburtsdatum, date de naissance, fecha de nacimiento,
      data di nascita, data de nascimento, geboortedatum`),
    types: ['text', 'date', 'number'],
    forbids: list(`
      id, uuid, place, country, city, name, weight, is, has, count, verified, order, ort, lieu,
      lugar, luogo, plaats, email, sent, state, sex, certificate`),
  },
  {
    id: 'age_of_person',
    classification: 'date_of_birth',
    category: 'pii',
    sensitivity: 'medium',
    phrases: list(`
      ^age$, @person age, age in year, ^alter$, ^edad$, ^idade$, ^eta$, ^leeftijd$`),
    dataset: ['@people'],
    types: ['number', 'text'],
  },
  {
    id: 'national_id',
    classification: 'national_id',
    category: 'pii',
    sensitivity: 'high',
    phrases: list(`
      ssn, social security, social insurance number, soc sec, national insurance, ni number,
      nino$, national id, national identity, national identification, nationalid, citizen id,
      personal id, personal identification number, identity number, identity card,
      identity document, identification number, id card, id number, id document, government id,
      gov id, govt id, tax id, tax number, taxpayer, tax identification, tax payer, tin$, ^itin,
      ^ein$, ein number, tax file number, tfn, passport, driver license, driving license,
      driver s license, license of driver, dl number, driver$ license,
      visa number, work permit number, residence permit, green card, alien number, aadhaar,
      aadhar, adhaar, pan number, pan card, voter id, nhs number, nhs id, chi number, medicare,
      medicaid, sin number, ^sin$, social insurance, insurance number, insurance id,
      member insurance, insurance policy holder id, hicn, mbi$, ration card, emirates id, nric,
      ^fin number, hkid, mykad, vat number, vat id, vatin, tva intra, numero tva, number tva,
      ust id, ustid, umsatzsteuer id, sozial versicherungs number, sozialversicherungsnummer,
      sv number, renten versicherungs number, steuer id, steuer number,
      steuer identifikationsnummer, steueridentifikationsnummer, personal ausweis,
      ausweis number, reise pass, reisepass, fuhrerschein, fuehrerschein,
      kranken versicherungs number, versicherungs number, versicherten number,
      versichertennummer, ahv number, securite sociale, number secu, nir$, ^insee$, number insee,
      carte identite, carte vitale, piece identite, number fiscal, permis conduire, passeport,
      ^dni, dni$, ^nie$, ^nif$, number nif, ^nuss$, curp, ^rfc$, cedula, pasaporte,
      seguridad social, documento identidad, number documento, codice fiscale, cod fiscale,
      codicefiscale, partita iva, piva$, carta identita, passaporto, patente guida,
      tessera sanitaria, cpf, cnpj, ^rg$, number rg, cnh, ^pis$, passaporte, bsn,
      burger service number, burgerservicenummer, rijksregisternummer, rijbewijs, paspoort,
      identiteitskaart, btw number, pesel, personnummer, ^cnp$, fodselsnummer, hetu`),
    comment: list(`
      ssn, social security, national id, national identification, passport number, tax id,
      driver license, driving license, identity card, aadhaar,
      sozialversicherungsnummer, steuernummer, steuer id, personalausweis, securite sociale,
      codice fiscale, cpf, bsn, dni, curp`),
    types: ['text', 'number'],
    forbids: list(`
      type, typ, status, country, state, expiry, expire, issued, issue, date, flag, flg,
      verified, count, has, is, at, uuid, fk, exempt, rate, image, url, file, path, scan, office,
      authority, class, withheld, required, valid, amount, benefit, place, eligible, year`),
  },
  {
    id: 'official_document',
    classification: 'national_id',
    category: 'pii',
    sensitivity: 'high',
    phrases: list(`
      document number, document key, document id, doc number, ^number$, license number, id value,
      identifier value, personal number, national number, ^ss$, ^driver$`),
    dataset: list(`
      kyc, identity, identification, identifier, passport, driver, patient`),
    types: ['text', 'number'],
    forbids: ['type', 'status', 'country', 'date', 'expiry'],
  },
  {
    id: 'special_attribute',
    classification: 'generic',
    category: 'pii',
    sensitivity: 'high',
    phrases: list(`
      religion, religious, ethnicity, ethnic, ^race$, race code, sexual orientation, sexuality,
      political, trade union, union member, biometric, finger print data, fingerprint template,
      face embedding, face template, iris scan, criminal record, conviction,
      religionszugehoerigkeit, konfession, ethnie, orientation sexuelle, etnia, raza, religione,
      religiao, geloof, caste, tribe`),
    comment: ['religion', 'ethnicity', 'sexual orientation', 'biometric'],
    types: ['any'],
    datasetForbids: ['race', 'horse', 'sport', 'religion'],
    forbids: ['id', 'at', 'count', 'condition'],
  },
  {
    id: 'personal_attribute',
    classification: 'generic',
    category: 'pii',
    sensitivity: 'medium',
    phrases: list(`
      gender, ^sex$, marital, civil status, nationality, citizenship, birthplace, birth place,
      place of birth, geburts ort, lieu naissance, lugar nacimiento, luogo nascita,
      geboorte plaats, country of birth, birth country, birth city, mother tongue, geschlecht,
      familienstand, staatsangehoerigkeit, sexe, genre$, civilite, civility, situation familiale,
      nationalite, sexo, genero, estado civil, nacionalidad, sesso, stato civile, cittadinanza,
      geslacht, burgerlijke staat, military service, veteran, immigration, visa status,
      license plate, plate number, kennzeichen, vehicle registration, vin$, imei, imsi,
      mac address, device id, device fingerprint, advertising id, idfa, gaid, skype, twitter,
      facebook, linkedin, instagram, snapchat, telegram, jabber, wechat, social handle,
      emergency contact, next of kin, resume, curriculum, badge number, date of death,
      death date, deathdate, deceased`),
    types: ['any'],
    datasetForbids: list(`
      song, book, film, movie, track, album, artist`),
    forbids: list(`
      id, count, name, type, at, enabled, is, has`),
  },
  {
    id: 'hardware_address',
    classification: 'generic',
    category: 'pii',
    sensitivity: 'medium',
    typesAlone: ['macaddr'],
  },
];
