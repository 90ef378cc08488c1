cwlVersion: v1.2
class: CommandLineTool
label: Index the genome for bwa
requirements:
  DockerRequirement:
    dockerFile: {$include: Dockerfile}
    dockerImageId: example/variants
  InitialWorkDirRequirement:
    listing: [$(inputs.genome)]
baseCommand: [bwa, index]
inputs:
  genome:
    type: File
    inputBinding: {valueFrom: $(self.basename)}
outputs:
  indexed:
    type: File
    secondaryFiles: [.amb, .ann, .bwt, .pac, .sa]
    outputBinding: {glob: $(inputs.genome.basename)}
