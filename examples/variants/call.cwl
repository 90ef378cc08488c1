cwlVersion: v1.2
class: CommandLineTool
label: Call variants of one sample
requirements:
  DockerRequirement:
    dockerFile: {$include: Dockerfile}
    dockerImageId: example/variants
  ShellCommandRequirement: {}
  InitialWorkDirRequirement:
    listing: [$(inputs.genome)]
inputs:
  genome: File
  sorted: File
arguments:
  - {shellQuote: false, valueFrom: 'bcftools mpileup -f'}
  - $(inputs.genome.basename)
  - $(inputs.sorted.path)
  - {shellQuote: false, valueFrom: '| bcftools call $CALL_OPTIONS --output-type v -o'}
  - $(inputs.sorted.nameroot).vcf
outputs:
  variants:
    type: File
    outputBinding: {glob: '*.vcf'}
