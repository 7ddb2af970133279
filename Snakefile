# The table of contents: what a run asks for, then the rules in the order the data flows.
# A config given by --configfile stands alone: the default one is not mixed into it.


if not workflow.overwrite_configfiles:

    configfile: "config/config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/resources.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/used.smk"
include: "workflow/rules/evaluators.smk"
include: "workflow/rules/age.smk"
include: "workflow/rules/gender.smk"
include: "workflow/rules/published.smk"
include: "workflow/rules/plan.smk"
include: "workflow/rules/judges.smk"
include: "workflow/rules/privacy.smk"
include: "workflow/rules/family.smk"
include: "workflow/rules/privacynet.smk"
include: "workflow/rules/judging.smk"
include: "workflow/rules/attacks.smk"
include: "workflow/rules/hiding.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/estimate.smk"


rule all:
    default_target: True
    input:
        announced,


onstart:
    stop_where_lacking()
    look_only_when_a_job_ends()
