/**
 * Words that people write together. A name's word that is not known as it stands is read as several of these if they
 * cover it from end to end (`phonenumber`, `kundennummer`), never in part: `description` has an `ip` in it and is one word.
 */
export const COMPOUND_PARTS: ReadonlySet<string> = new Set(
  `access account achternaam acct adres adresse address amount api app author author bank basic bedrijf bedrijfs betrag
  bill billing birth brutto burger card cardnumber cell city client code company complete complet compte contact cost
  country courriel credit cuenta customer data date datum day debit delivery dienst doctor driver email emp employee
  encrypted event expiry family fax file first forma full geboorte geburt geburts gesamt given guardian handy haus
  holder home host house huis inhaber insurance invoice issued jahr karte karten kenn key klant konto kranken kredit
  kunde kunden land last leitzahl license licence liefer line lohn login maiden mail medical member middle mobil mobile
  modified mother naam nachname naissance name national netto nick nom nombre number nummer numero nascimento nascita
  office order ort owner passport passwd passwort password patient patienten payment person personal phone plaats postal
  post postleit preis prenom previous price private product public rechnung rechnungs refresh rekening routing salary
  secret security service sender session shipping ship social sozial spouse steuer straat strasse strassen street
  surname swift tag tax telefon telefono telefoon telephone token total town user versicherten versicherung versicherungs
  vendor vorname wachtwoord wohn woon work year zahl zip ausweis fuehrerschein fuhrerschein schein nachweis rente renten
  ident identity firma firmen rue voornaam user mitarbeiter lieferanten artikel gehalt gehalts geschaefts`
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
