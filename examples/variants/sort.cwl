cwlVersion: v1.2
class: CommandLineTool
label: Sort an alignment by position
requirements:
  DockerRequirement:
    dockerFile: {$include: Dockerfile}
    dockerImageId: example/variants
baseCommand: [samtools, sort, --no-PG]
inputs:
  alignment:
    type: File
    inputBinding: {position: 1}
arguments:
  - {prefix: -o, valueFrom: $(inputs.alignment.nameroot).bam}
outputs:
  sorted:
    type: File
    outputBinding: {glob: '*.bam'}
