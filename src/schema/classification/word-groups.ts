/**
 * Groups of words that rules refer to as `@name`. All of it is data: a word belongs to a group for what it does to the
 * words beside it, in any of the languages the rules speak (English, German, French, Spanish, Italian, Portuguese, Dutch).
 */
export const WORD_GROUPS: Readonly<Record<string, readonly string[]>> = {
  /** Words that make a column one about the thing and not the thing: `email_verified_at`, `phone_type`, `email_id`. */
  aspect: words(`
    id uuid guid fk pk ref type typ tipo status state statut estado count counter quantity qty
    verified verification verify verifier confirmed confirm at timestamp date datum fecha flag
    flg has is can should enabled disabled opt optin optout opted subscribed unsubscribed
    notification preference setting template subject sent bounced bounce bouncing reason valid
    invalid validated validation format pattern regex length len size label required consent
    version method kind quality delivered opened clicked click attempt expiry expire expired
    changed created updated modified deleted frequency policy provider domain index position
    order sequence seq sort rank`),

  /** Words that make a name the name of a thing: `product_name`, `file_name`, `event_name`. */
  thing: words(`
    account action activity agency airline album alias app application area artifact asset
    attribute bank batch block book brand branch bucket building bundle business campaign
    category channel chart city class cluster code collection color column command company
    component computer config constraint container country county course currency database
    dataset db department dept device directory display division document domain drug enum
    entity environment error event exchange export extension facility feature field file filter
    firm folder font form format full function game grade group holiday host icon image index
    industry instance institute institution integration item job key lab label language layer
    layout legal level library license list locale location log machine market medication menu
    merchant method metric migration mime model module month name namespace network node object
    office organisation organization package page parameter park partition path payer pharmacy
    precinct constituency pipeline place plan plant platform play plugin policy pool port
    position print procedure process product profile program project property protocol province
    queue reason region registry report repository resource restaurant role room route rule
    sale sample scale schema school scope screen sector section segment sequence series server
    service session set setting shape shop show site size skill snapshot software song source
    species stage state station status step store stream street subject supplier symbol system
    table tag task tax team tenant template test theme thread tier title token tool topic track
    trade train treatment trigger type unit university vaccine value variable variant vehicle
    vendor venue version vessel view warehouse website widget workflow workspace zone abteilung
    firma firmen artikel produkt datei strasse entreprise societe produit fichier empresa
    producto archivo azienda prodotto produto bedrijf bedrijfs bestand poste proyecto projet
    projekt order bestellung commande pedido invoice ticket transaction payment review card
    shipment subscription`),

  /** Words for a person in one of their parts, next to whom `name` is a person's name. */
  person: words(`
    customer client employee patient contact owner manager author holder recipient beneficiary
    sender receiver reviewer driver guardian student pupil teacher professor doctor physician
    surgeon nurse prescriber practitioner actor artist passenger guest attendee participant
    spouse partner father mother kin assignee requester requestor approver assistant supervisor
    candidate applicant counterparty payee person people member subscriber donor victim witness
    resident visitor buyer seller borrower debtor creditor claimant insured dependent dependant
    relative friend adult man woman by billing bill shipping ship delivery sign signer
    signatory caller caregiver carer rep representative salesperson consultant lawyer attorney
    committer reporter organizer organiser speaker interviewer policyholder planner instructor
    coach player trainer landlord heir nominee trustee mae pai madre padre mere pere vater
    mutter kunden kunde mitarbeiter inhaber ansprechpartner patienten empfanger empfaenger
    schueler schuler conjoint titulaire beneficiaire medecin paciente cliente titular
    beneficiario empleado usuario contacto klant medewerker houder ouder kind intestatario
    dipendente paziente funcionario destinatario`),

  /** Words of a dataset whose rows are people. */
  people: words(`
    partner kna socio abonne alumno aluno studente leerling lid leden personen customer client
    employee emp patient contact user appuser staff lead person people member child children
    dependent dependant actor author student teacher driver candidate applicant guest passenger
    attendee participant subscriber donor visitor resident beneficiary guardian doctor
    physician nurse borrower adherent profile signer voter citizen player kunde kunden
    mitarbeiter patienten benutzer schueler salaries salarie employe adherents utilisateur
    personne empleado cliente usuario paciente persona dipendente clienti pazienti utente
    utenti klanten klant medewerker medewerkers funcionario funcionarios usuarios clientes
    pacientes empleados`),

  /** Words of a dataset that keeps health records of people. */
  clinic: words(`
    obs omop openmrs openemr mimic fhir ehr emr drug patient encounter vital observation lab
    diagnosis prescription visit immunization admission clinic clinical medical medication
    treatment condition allergy procedure appointment chart hospital health anamnesis patienten
    paciente pacientes pazienti consultation`),

  /** Words of a dataset that describes things for everybody: what it says is meant to be read. */
  catalogue: words(`
    product item catalog catalogue category categorie film movie book role permission plan
    skill tag feature artikel produkt produit producto prodotto produto variant collection
    brand language country currency module event course recipe menu setting option tier package
    type status holiday`),

  /** Networks, machines and ledgers have addresses too. */
  machine_address: words(`
    email mail mac ip web url http https memory contract wallet network net host server bitcoin
    btc eth crypto blockchain bus register byte virtual hex site page correo courriel
    elettronica`),

  /** Words that say a number is not money. */
  not_money: words(`
    count quantity qty rate percent percentage pct ratio point day hour week token byte score
    rank number id type status code currency date year level factor weight unit item page user
    attempt seat minute second duration size method flag is has enum index position days hours`),

  /** Where a path, a link or a picture of something is kept, not the thing. */
  pointer: words(`
    url uri link path href filename file image photo picture icon avatar format`),
};

function words(list: string): readonly string[] {
  return list.trim().split(/\s+/u);
}
