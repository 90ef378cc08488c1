cwlVersion: v1.2
class: CommandLineTool
label: Align paired reads to the indexed genome
requirements:
  DockerRequirement:
    dockerFile: {$include: Dockerfile}
    dockerImageId: example/variants
  ResourceRequirement: {coresMin: 1, ramMin: 512}
baseCommand: [bwa, mem]
arguments:
  - prefix: -R
    valueFrom: '@RG\tID:$(inputs.sample)\tSM:$(inputs.sample)'
  - prefix: -t
    valueFrom: $(runtime.cores)
inputs:
  sample: string
  genome:
    type: File
    secondaryFiles: [.amb, .ann, .bwt, .pac, .sa]
    inputBinding: {position: 1}
  reads:
    type: File[]
    inputBinding: {position: 2}
stdout: $(inputs.sample).sam
outputs:
  alignment: stdout
