/**
 * Words that people write together. A name's word that is not known as it stands is read as several of these if they
 * cover it from end to end (`phonenumber`, `kundennummer`), never in part: `description` has an `ip` in it and is one word.
 */
export const COMPOUND_PARTS: ReadonlySet<string> = new Set(
  `
    access account acct achternaam address adres adresse alternate amount api app artikel
    ausweis author balance bank basic bedrijf bedrijfs beruf betrag bill billing birth brutto
    burger card cardnumber cell city client code company complet complete compte contact cost
    country courriel credit cuenta customer data date datum day debit delivery dienst doctor
    driver email emp employee encrypted event expiry extended factuur family father fax file
    firma firmen first forma fuehrerschein fuhrerschein full geboorte geburt geburts gehalt
    gehalts gesamt geschaefts given guardian handy haus holder home host house huis ident
    identity inhaber insurance invoice issued jahr jahres karte karten kenn key klant kontakt
    konto kranken krankheits kredit kunde kunden lab land last leitzahl licence license liefer
    lieferanten line login lohn maiden mail medical member middle mitarbeiter mobil mobile
    modified monats mother mutter naam nachname nachweis naissance name nascimento nascita
    national netto nick nom nombre notfall number numero nummer office order ort owner parent
    partner passport passwd password passwort patient patienten payment person personal phone
    phonetic plaats policy post postal postleit preis prenom previous price private product
    public rechnung rechnungs refresh rekening rente renten retail routing rue salary schein
    secret security sender service session ship shipping social sozial spouse ssn steuer straat
    strasse strassen street stunden surname swift tag tage tax telefon telefono telefoon
    telephone token total town user vat vater vendor versicherten versicherung versicherungs
    voornaam vorname wachtwoord wohn woon work year zahl zip`
    .split(/\s+/u)
    .filter((part) => part.length > 2),
);

/** Short parts that are trusted only at the beginning or at the end of a compound: `ipaddress`, `userid`, `phoneno`. */
export const COMPOUND_HEADS: ReadonlySet<string> = new Set(['ip', 'id', 'fk']);
export const COMPOUND_TAILS: ReadonlySet<string> = new Set(['id', 'no', 'nr', 'ip']);

/** Spellings that mean other words: abbreviations, and words whose digits are part of them. */
export const WORD_ALIASES: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({
    addr: ['address'],
    adr: ['address'],
    ipaddr: ['ip', 'address'],
    ipv4: ['ip', 'v4'],
    ipv6: ['ip', 'v6'],
    dob: ['date', 'of', 'birth'],
    doby: ['birth', 'year'],
    bday: ['birthday'],
    birthdate: ['birth', 'date'],
    datebirth: ['date', 'of', 'birth'],
    dateofbirth: ['date', 'of', 'birth'],
    fname: ['first', 'name'],
    lname: ['last', 'name'],
    mname: ['middle', 'name'],
    firstnm: ['first', 'name'],
    lastnm: ['last', 'name'],
    num: ['number'],
    nbr: ['number'],
    no: ['number'],
    nr: ['number'],
    nummer: ['number'],
    numero: ['number'],
    acct: ['account'],
    acc: ['account'],
    cust: ['customer'],
    frst: ['first'],
    nm: ['name'],
    brth: ['birth'],
    phn: ['phone'],
    ac: ['account'],
    bal: ['balance'],
    acctbal: ['account', 'balance'],
    cardholder: ['card', 'holder'],
    emp: ['employee'],
    pwd: ['password'],
    passwd: ['password'],
    passcode: ['password'],
    pswd: ['password'],
    apikey: ['api', 'key'],
    licence: ['license'],
    lic: ['license'],
    tel: ['telephone'],
    mob: ['mobile'],
    sal: ['salary'],
    postcode: ['postal', 'code'],
    zipcode: ['zip', 'code'],
    creditcard: ['credit', 'card'],
    avg: ['average'],
    amt: ['amount'],
    desc: ['description'],
    dt: ['date'],
    ts: ['timestamp'],
    exp: ['expiry'],
    expiration: ['expiry'],
    userid: ['user', 'id'],
    hba1c: ['hba1c'],
    sha1: ['sha1'],
    sha256: ['sha256'],
    md5: ['md5'],
    base64: ['base64'],
    oauth2: ['oauth'],
    i9: ['i9'],
    b2b: ['b2b'],
    '2fa': ['2fa'],
    '401k': ['401k'],
    s3: ['s3'],
    x509: ['x509'],
  }),
);
