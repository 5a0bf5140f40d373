package audit

// Kind says what was done. It is stable: it stands in logs that are kept. Each has words for people under audit.kind.
type Kind string

// The kinds. Who adds one adds it to Kinds too, and its words to the catalogues.
const (
	InstitutionCreated Kind = "institution_created" // slug
	ProfileChanged     Kind = "profile_changed"     // fields: which were set
	DomainChanged      Kind = "domain_changed"      // from, to
	LogoChanged        Kind = "logo_changed"        // digest, "" when it was taken away
	MemberCreated      Kind = "member_created"      // user, role
	RoleGiven          Kind = "role_given"          // user, role
	RoleTaken          Kind = "role_taken"          // user, role

	AccountErased Kind = "account_erased" // user, reason

	KeyCreated  Kind = "key_created"  // key, method, kind
	KeyRotated  Kind = "key_rotated"  // key, method, kind, retired
	KeyRevoked  Kind = "key_revoked"  // key, method, from, successor
	KeyResealed Kind = "key_resealed" // keys: how many

	RenewalStarted  Kind = "renewal_started"  // key, credentials: how many it signed too late
	RenewalFinished Kind = "renewal_finished" // key, left: how many of them were not signed anew

	CriteriaSet     Kind = "criteria_set"     // course
	CriteriaRemoved Kind = "criteria_removed" // course
	TemplateChanged Kind = "template_changed" // course, "" for all

	AwardApproved Kind = "award_approved" // award, user, course
	AwardRefused  Kind = "award_refused"  // award, user, course
	AwardAssessed Kind = "award_assessed" // award, user, course, assessment
	AwardDeclared Kind = "award_declared" // award, ai_help
	NameConfirmed Kind = "name_confirmed" // user

	BatchStarted         Kind = "batch_started"         // batch, awards: how many
	BatchFinished        Kind = "batch_finished"        // batch, issued, failed
	CredentialIssued     Kind = "credential_issued"     // credential, award, user, course
	CredentialRevoked    Kind = "credential_revoked"    // credential
	CredentialSuspended  Kind = "credential_suspended"  // credential
	CredentialReinstated Kind = "credential_reinstated" // credential

	DelegationGiven   Kind = "delegation_given"   // delegation, user
	DelegationChanged Kind = "delegation_changed" // delegation, user
	DelegationEnded   Kind = "delegation_ended"   // delegation, user

	RecognitionGiven Kind = "recognition_given" // recognition
	RecognitionEnded Kind = "recognition_ended" // recognition

	RegradeApplied      Kind = "regrade_applied"      // regrade, mode
	PublisherTrusted    Kind = "publisher_trusted"    // publisher
	PublisherDistrusted Kind = "publisher_distrusted" // publisher
)

// Kinds are all kinds.
var Kinds = []Kind{
	InstitutionCreated, ProfileChanged, DomainChanged, LogoChanged, MemberCreated, RoleGiven, RoleTaken, AccountErased,
	KeyCreated, KeyRotated, KeyRevoked, KeyResealed,
	CriteriaSet, CriteriaRemoved, TemplateChanged, AwardApproved, AwardRefused, AwardAssessed, AwardDeclared, NameConfirmed,
	BatchStarted, BatchFinished, CredentialIssued, CredentialRevoked, CredentialSuspended, CredentialReinstated,
	DelegationGiven, DelegationChanged, DelegationEnded, RecognitionGiven, RecognitionEnded,
	RegradeApplied, PublisherTrusted, PublisherDistrusted,
}
